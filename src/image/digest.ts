import { createHash } from "node:crypto";
import type { InputFile } from "./recipe.js";

/** Labels of every image Berth makes. */
export const labelNames = {
  /** Which of Berth's images it is: `dind`, `exercise-shell`. */
  image: "berth.image",
  /** All inputs: the tag is its beginning. */
  digest: "berth.digest",
  /** All inputs but the base: an image on another base is still today's image. */
  recipe: "berth.recipe",
} as const;

export interface ImageInputs {
  files: InputFile[];
  /** As Debian names it: amd64, arm64. */
  architecture: string;
  /** Image reference the Dockerfile builds on; absent for a Debian root by mmdebstrap. */
  base?: string | undefined;
}

/** The image's identity. Each field is a sha256 in hex. */
export interface Identity {
  digest: string;
  recipe: string;
}

/**
 * The content address of an image: equal inputs, equal address. The order of the files does not
 * matter, nor do their modes beyond "executable" (a clone's umask is not an input).
 */
export function identify({ files, architecture, base }: ImageInputs): Identity {
  const recipe = sha256(
    JSON.stringify({
      architecture,
      files: files
        .map((file) => [file.name, file.executable ? "0755" : "0644", sha256(file.content)])
        .sort(([a = ""], [b = ""]) => (a < b ? -1 : 1)),
    }),
  );
  return { recipe, digest: sha256(JSON.stringify({ recipe, base: base ?? null })) };
}

/** Of the images that sandboxes start from. */
export const repository = "berth/dind";

/** `berth/dind:<first 12 digits>`, or that of another of Berth's images. */
export const tagOf = ({ digest }: Identity, image = "dind"): string =>
  `berth/${image}:${digest.slice(0, 12)}`;

/** Whether Berth gives such a name: an image's label says less, for what is built on ours inherits it. */
export const isOwnTag = (tag: string): boolean =>
  /^berth\/(dind|exercise-[a-z0-9-]+):([0-9a-f]{12}|latest)$/.test(tag);

export const labelsOf = ({ digest, recipe }: Identity, image = "dind"): Record<string, string> => ({
  [labelNames.image]: image,
  [labelNames.digest]: digest,
  [labelNames.recipe]: recipe,
});

const architectures: Partial<Record<NodeJS.Architecture, string>> = { x64: "amd64" };

/** This machine's architecture as Debian names it. */
export const debianArchitecture = (arch: NodeJS.Architecture = process.arch): string =>
  architectures[arch] ?? arch;

const sha256 = (data: string | Buffer): string => createHash("sha256").update(data).digest("hex");
