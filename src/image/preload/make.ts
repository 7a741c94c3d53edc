import { lstat, mkdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { BerthError } from "../../lib/errors.js";
import type { Report } from "../progress.js";
import { Builder, removeContainer, type DockerHost } from "./builder.js";
import { putIntoImage } from "./carry.js";
import { collect } from "./collect.js";
import type { Places } from "./places.js";
import type { Source } from "./sources.js";
import { Tally, tellEveryMs } from "./tally.js";

export interface MakeRequest {
  docker: DockerHost;
  places: Places;
  /** The preload's name. */
  preload: string;
  /** The dind image, and what the new one is called. */
  base: string;
  tag: string;
  labels: Record<string, string>;
  sources: Source[];
  /** As Docker names it: amd64. */
  architecture: string;
  report: Report;
  now: () => number;
  signal: AbortSignal;
}

/** What was collected, and how long that took. */
export interface Made {
  images: { name: string; bytes: number }[];
  collected: { bytes: number; seconds: number };
  storeBytes: number;
}

/**
 * Collects the images in an engine made for it, and makes of its store a file of this host and an
 * image. The caller holds the lock of builds, and calls `sweep` afterwards, whatever came of it.
 * @throws BerthError IMAGE_BUILD_FAILED, ENGINE_UNREACHABLE, DISK_FULL
 */
export async function makePreload(request: MakeRequest): Promise<Made> {
  const { docker, places, sources, report, signal, now } = request;
  const { socketDir, outDir } = places;
  for (const dir of [socketDir, outDir]) await mkdir(dir, { recursive: true, mode: 0o700 });
  report("images", `starting the engine of the build from ${request.base}`);
  const builder = await Builder.start({
    docker,
    name: places.containers.builder,
    image: request.base,
    socketDir,
    outDir,
    isOnline: sources.some(({ kind }) => kind === "registry"),
    signal,
  });
  const tally = new Tally(report, now);
  const began = now();
  await collect({ ...request, engine: builder.engine, tally }, sources);
  const seconds = (now() - began) / 1000;
  report("seal", "writing the store");
  await builder.seal();
  signal.throwIfAborted();
  const storeFile = join(outDir, "store.erofs");
  const size = await sizeOfStore(storeFile);
  let [sent, told] = [0, -Infinity];
  await putIntoImage({
    ...request,
    name: places.containers.image,
    storeFile,
    onBytes: (bytes) => {
      sent += bytes;
      if (now() - told < tellEveryMs) return;
      told = now();
      report("image", request.tag, sent, { totalBytes: size });
    },
  });
  await rename(storeFile, places.storeFile(request.preload));
  return {
    images: tally.images(),
    collected: { bytes: tally.movedBytes, seconds },
    storeBytes: size,
  };
}

/** What wrote it has read files from anywhere: nothing that lies in its place is followed. */
async function sizeOfStore(file: string): Promise<number> {
  const info = await lstat(file);
  if (info.isFile()) return info.size;
  throw new BerthError("IMAGE_BUILD_FAILED", `the engine of the build left no file at ${file}`);
}

/** Leaves nothing of a build, whether it ended well, failed or was killed. Safe to repeat. */
export async function sweep(docker: DockerHost, places: Places): Promise<void> {
  await removeContainer(docker, places.containers.builder);
  await removeContainer(docker, places.containers.image);
  await rm(places.socketDir, { recursive: true, force: true });
  await rm(places.outDir, { recursive: true, force: true });
}

/** Whether a build left something, or is under way. */
export async function hasLeftovers(places: Places): Promise<boolean> {
  const there = [places.socketDir, places.outDir].map((dir) =>
    stat(dir).then(
      () => true,
      () => false,
    ),
  );
  return (await Promise.all(there)).includes(true);
}
