import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { BerthError, messageOf } from "../../lib/errors.js";
import type { BuildOptions } from "../images.js";
import { findImage, type DockerImages } from "../engine-images.js";

/** Where one image of a profile comes from, and what identifies its content. */
export type Source =
  /** In the host's engine, under this name. */
  | { kind: "engine"; name: string; identity: string; sizeBytes: number; layers: string[] }
  /** To be pulled: the host's engine does not have it. */
  | { kind: "registry"; name: string; identity: string }
  /** A `.tar` of `docker save`, possibly compressed. */
  | { kind: "tar"; name: string; identity: string; sizeBytes: number }
  /** A directory in the OCI image layout. */
  | { kind: "oci"; name: string; identity: string };

/** Images that Berth itself can make, by name; plugged in by who assembles the parts. */
export interface Makers {
  names(): Promise<string[]>;
  /** Builds it unless it is there, and says what it is called in the host's engine. */
  build(name: string, options: BuildOptions): Promise<{ references: string[] }>;
}

/**
 * Finds every image a profile names: `/a/path` is a file or a directory, what `makers` know is built,
 * all else is a reference.
 * @throws BerthError IMAGE_BUILD_FAILED, naming the image
 */
export async function findSources(
  images: readonly string[],
  { docker, makers }: { docker: DockerImages; makers?: Makers | undefined },
  options: BuildOptions = {},
): Promise<Source[]> {
  const made = (await makers?.names()) ?? [];
  const found: Source[] = [];
  for (const image of images) {
    if (image.startsWith("/")) found.push(await fileSource(image));
    else if (makers && made.includes(image)) {
      const { references } = await makers.build(image, options);
      for (const name of references) found.push(await engineSource(docker, name));
    } else found.push(await engineSource(docker, image));
  }
  return found;
}

async function engineSource(docker: DockerImages, name: string): Promise<Source> {
  const image = await findImage(docker, name);
  // What a registry has under this name is known once it was asked; --rebuild asks again.
  if (!image) return { kind: "registry", name, identity: name };
  // The engine saves it without any name, and nobody could run it in a sandbox.
  if (name.includes("@"))
    throw failedImage(
      name,
      "the host's engine has it, but saves no image under its digest; give it a tag (docker tag) and name that",
    );
  const { Id, Size, RootFS } = image;
  const layers = RootFS.Layers ?? [];
  return { kind: "engine", name: fullName(name), identity: Id, sizeBytes: Size, layers };
}

/** With its tag: the engine saves every tag of a repository that is named without one. */
function fullName(name: string): string {
  return /[:@][^/]+$/.test(name) ? name : `${name}:latest`;
}

async function fileSource(path: string): Promise<Source> {
  try {
    const info = await stat(path, { bigint: true });
    if (info.isDirectory()) {
      const index = await readFile(join(path, "index.json"), "utf8");
      return { kind: "oci", name: path, identity: index };
    }
    // A pipe would be waited for without end.
    if (!info.isFile()) throw new Error("it is neither a file nor a directory");
    // To read it all for a digest would take as long as to load it.
    const identity = `${path} ${info.size} ${info.mtimeNs}`;
    return { kind: "tar", name: path, identity, sizeBytes: Number(info.size) };
  } catch (error) {
    throw failedImage(path, messageOf(error), error);
  }
}

/** What is said of an image that keeps a preload from being built. */
export function failedImage(name: string, why: string, cause?: unknown): BerthError {
  return new BerthError("IMAGE_BUILD_FAILED", `the image ${name} cannot be preloaded: ${why}`, {
    cause,
  });
}
