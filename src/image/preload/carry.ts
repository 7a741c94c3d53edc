import { createReadStream, createWriteStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import type Docker from "dockerode";
import { extract, pack, type Pack } from "tar-stream";
import { BerthError, codeOf } from "../../lib/errors.js";
import { engineCall } from "../../lib/engine-call.js";
import { followAnswer } from "../engine-images.js";
import { copyRoot, readable } from "../root-tar.js";
import { removeContainer, type DockerHost } from "./builder.js";
import { storeInImage } from "./identity.js";

/** What the engine puts into every container's root: its own, not the image's. */
const enginesOwn = ["/.dockerenv", "/etc/hostname", "/etc/hosts", "/etc/resolv.conf", "/dev/*"];

/**
 * Makes an image that carries a store: the dind image's root and the store, imported as one stream. A
 * commit on top of the dind image would write the store twice, for the engine packs what it commits.
 * Whoever calls removes the container `name` if this is broken off.
 * @throws BerthError IMAGE_BUILD_FAILED, DISK_FULL
 */
export async function putIntoImage(request: {
  docker: DockerHost;
  /** Of the container whose root is read; it is never started. */
  name: string;
  /** The dind image. */
  base: string;
  storeFile: string;
  tag: string;
  labels: Record<string, string>;
  onBytes: (bytes: number) => void;
  signal: AbortSignal;
}): Promise<void> {
  const { docker, name, base, storeFile, tag, onBytes, signal } = request;
  const [repo = "", version = ""] = tag.split(":");
  await engineCall(
    `put the preload into the image ${tag}`,
    async () => {
      await docker.createContainer({ name, Image: base });
      const container = docker.getContainer(name);
      const changes = await changesOf(container, request.labels);
      const root = await container.export({ abortSignal: signal });
      const tar = pack();
      const packed = packRoot(root, tar, storeFile, onBytes);
      // Its failure ends the tar, and with that the import.
      packed.catch((error: unknown) => {
        tar.destroy(error as Error);
      });
      const options = { repo, tag: version, changes, abortSignal: signal };
      const answer = await docker.importImage(readable(tar), options);
      await followAnswer(answer, () => undefined);
      await packed;
    },
    "IMAGE_BUILD_FAILED",
  );
  await removeContainer(docker, name);
}

/** How the image starts, as lines of a Dockerfile: an import knows nothing of where the root comes from. */
async function changesOf(
  container: Docker.Container,
  labels: Record<string, string>,
): Promise<string[]> {
  const { Config } = await container.inspect();
  const all = { ...Config.Labels, ...labels };
  // @types/dockerode lacks StopSignal.
  const { StopSignal = "SIGTERM" } = Config as { StopSignal?: string };
  const environment = (Config.Env as string[] | null) ?? [];
  return [
    `ENTRYPOINT ${JSON.stringify(Config.Entrypoint)}`,
    `STOPSIGNAL ${StopSignal}`,
    ...environment.map((line) => `ENV ${quoted(line)}`),
    ...Object.entries(all).map(([label, value]) => `LABEL ${label}=${JSON.stringify(value)}`),
  ];
}

/** `NAME=value` with the value in quotes. */
function quoted(line: string): string {
  const at = line.indexOf("=") + 1;
  return line.slice(0, at) + JSON.stringify(line.slice(at));
}

async function packRoot(
  root: NodeJS.ReadableStream,
  tar: Pack,
  storeFile: string,
  onBytes: (bytes: number) => void,
): Promise<void> {
  await copyRoot(root, tar, { drop: enginesOwn, add: [] }, () => undefined);
  const { size } = await stat(storeFile);
  tar.entry({ name: storeInImage.replace(/[^/]*$/, ""), type: "directory", mode: 0o755 });
  const entry = tar.entry({ name: storeInImage, size, mode: 0o644, mtime: new Date(0) });
  const source = createReadStream(storeFile);
  source.on("data", (chunk) => {
    onBytes(chunk.length);
  });
  await pipeline(source, entry as unknown as NodeJS.WritableStream);
  tar.finalize();
}

/**
 * Writes the store that an image carries to `file`, whole: it is on the disk when this resolves.
 * @throws BerthError IMAGE_MISSING, ENGINE_UNREACHABLE, ENGINE_FAILED, DISK_FULL
 */
export async function takeFromImage(request: {
  docker: DockerHost;
  /** Of a container that is made to look into the image, and never started. */
  name: string;
  image: string;
  file: string;
}): Promise<void> {
  const { docker, name, image, file } = request;
  await engineCall(`take the preload out of the image ${image}`, async () => {
    try {
      await docker.createContainer({ name, Image: image });
      const tar = await docker.getContainer(name).getArchive({ path: `/${storeInImage}` });
      await unpackOnly(tar, file).catch((error: unknown) => {
        throw codeOf(error) === "ENOSPC" ? noRoom(file, error) : error;
      });
    } finally {
      await removeContainer(docker, name);
    }
  });
}

async function unpackOnly(tar: NodeJS.ReadableStream, file: string): Promise<void> {
  const unpacked = extract();
  const read = pipeline(tar, unpacked as unknown as NodeJS.WritableStream);
  read.catch(() => undefined);
  let isThere = false;
  for await (const entry of unpacked) {
    isThere ||= entry.header.type === "file";
    await pipeline(() => entry as AsyncIterable<Buffer>, createWriteStream(file));
  }
  await read;
  if (!isThere) throw new BerthError("IMAGE_MISSING", "the image carries no preload");
  await flush(file);
}

/** The engine may lie on another file system. */
const noRoom = (file: string, cause: unknown): BerthError =>
  new BerthError(
    "DISK_FULL",
    `cannot unpack the preloaded images: the file system of ${dirname(file)} is full; free some space there and try again`,
    { cause },
  );

/** A store that is there after a power cut is there as it was written. */
async function flush(file: string): Promise<void> {
  const handle = await open(file, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
