import { createReadStream, createWriteStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { extract, pack } from "tar-stream";
import { BerthError } from "../../lib/errors.js";
import { engineCall } from "../../lib/engine-call.js";
import { readable } from "../root-tar.js";
import { removeContainer, type DockerHost } from "./builder.js";
import { storeInImage } from "./identity.js";

/**
 * Makes an image that carries a store: the dind image with one layer more. Whoever calls removes the
 * container `name` if this is broken off.
 * @throws BerthError IMAGE_BUILD_FAILED, DISK_FULL
 */
export async function putIntoImage(request: {
  docker: DockerHost;
  /** Of the container in which it is put together; it is never started. */
  name: string;
  /** The dind image. */
  base: string;
  storeFile: string;
  tag: string;
  labels: Record<string, string>;
  onBytes: (bytes: number) => void;
  signal: AbortSignal;
}): Promise<void> {
  const { docker, name, base, storeFile, tag, labels, onBytes, signal } = request;
  const [repo = "", version = ""] = tag.split(":");
  await engineCall(
    `put the preload into the image ${tag}`,
    async () => {
      // No label of its own: the image would have it, and every container made from that.
      await docker.createContainer({ name, Image: base });
      const container = docker.getContainer(name);
      const { size } = await stat(storeFile);
      const tar = pack();
      const sent = container.putArchive(readable(tar), { path: "/", abortSignal: signal });
      await Promise.all([sent, packFile(tar, storeFile, size, onBytes)]);
      await container.commit({
        repo,
        tag: version,
        pause: false,
        changes: Object.entries(labels).map(
          ([label, value]) => `LABEL ${label}=${JSON.stringify(value)}`,
        ),
        abortSignal: signal,
      });
    },
    "IMAGE_BUILD_FAILED",
  );
  await removeContainer(docker, name);
}

async function packFile(
  tar: ReturnType<typeof pack>,
  file: string,
  size: number,
  onBytes: (bytes: number) => void,
): Promise<void> {
  tar.entry({ name: storeInImage.replace(/[^/]*$/, ""), type: "directory", mode: 0o755 });
  const entry = tar.entry({ name: storeInImage, size, mode: 0o644, mtime: new Date(0) });
  const source = createReadStream(file, { highWaterMark: 1024 ** 2 });
  source.on("data", (chunk) => {
    onBytes(chunk.length);
  });
  try {
    await pipeline(source, entry as unknown as NodeJS.WritableStream);
    tar.finalize();
  } catch (error) {
    tar.destroy(error as Error);
    throw error;
  }
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
      await unpackOnly(tar, file);
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
    isThere = true;
    await pipeline(() => entry as AsyncIterable<Buffer>, createWriteStream(file));
  }
  await read;
  if (!isThere) throw new BerthError("IMAGE_MISSING", "the image carries no preload");
  await flush(file);
}

/** A store that is there after a power cut is there as it was written. */
async function flush(file: string): Promise<void> {
  const handle = await open(file, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
