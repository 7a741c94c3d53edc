import { createHash } from "node:crypto";
import type { Source } from "./sources.js";

/** Raised when a store is laid out differently; images/dind/preload.sh reads what build.sh wrote. */
const storeVersion = 1;

/** Labels of an image that carries a preload. */
export const preloadLabels = {
  /** Its name, which is the image's tag. */
  preload: "berth.preload",
  /** All that it was built from: {@link inputsDigest}. */
  inputs: "berth.preload.inputs",
  /** What the profile names: {@link wantedOf}. */
  wanted: "berth.preload.wanted",
  /** The images in it, for people. */
  images: "berth.preload.images",
} as const;

/** Where an image carries its store. */
export const storeInImage = "preload/store.erofs";

/** What a profile asks for, as one word to find images by: two profiles of the same list share them. */
export const wantedOf = (images: readonly string[]): string =>
  sha256(JSON.stringify([...new Set(images)].sort())).slice(0, 32);

/** The address of all inputs, a sha256 in hex: on another dind image it is another. */
export const inputsDigest = (inputs: {
  /** Tag of the dind image. */
  base: string;
  wanted: string;
  sources: readonly Source[];
}): string =>
  sha256(
    JSON.stringify({
      storeVersion,
      base: inputs.base,
      wanted: inputs.wanted,
      images: inputs.sources.map(({ kind, name, identity }) => [kind, name, identity]).sort(),
    }),
  );

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
