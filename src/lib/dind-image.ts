import type { z } from "zod";
import type { imageList } from "./contract/host.js";

/** What a build of the dind image came to. */
export interface BuiltImage {
  tag: string;
  /** false: it was there already. */
  built: boolean;
  sizeBytes: number;
  /** How long it took; 0 when nothing was built. */
  seconds: number;
  /** Of a preload: its images, what of their bytes was sent for each. */
  images?: { name: string; bytes: number }[];
  /** What was sent in all, and how long that took until the engine of the build had unpacked it. */
  collected?: { bytes: number; seconds: number };
  storeBytes?: number;
}

/** What a build of an exercise's image came to. */
export interface BuiltExercise extends BuiltImage {
  /** The exercise, or `toolbox`. */
  name: string;
  /** What the image is called: its tag, and the name that the exercise's compose.yaml has. */
  references: string[];
}

/** One of Berth's images in the engine, as it is told. */
export type DindImage = z.infer<typeof imageList>["images"][number];
