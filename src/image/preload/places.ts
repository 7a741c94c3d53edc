import { join } from "node:path";
import { repository } from "../digest.js";

/** Where a Berth keeps its preloads, and what its containers are called while one is made. */
export class Places {
  /** On the disk: stores, and the lock of builds. */
  readonly dir: string;
  /** Of the build under way. */
  readonly outDir: string;
  readonly socketDir: string;
  readonly mountsDir: string;
  readonly containers: { builder: string; image: string; unpack: string };

  constructor({ dataDir, runDir, mark }: { dataDir: string; runDir: string; mark: string }) {
    this.dir = join(dataDir, "preloads");
    this.outDir = join(this.dir, "building");
    this.socketDir = join(runDir, "build");
    this.mountsDir = join(runDir, "preloads");
    // By the installation's own mark: nobody else's containers are called so.
    const name = (what: string) => `berth-${mark}-${what}`;
    this.containers = { builder: name("build"), image: name("image"), unpack: name("unpack") };
  }

  storeFile = (preload: string): string => join(this.dir, `${checked(preload)}.erofs`);
  partialFile = (preload: string): string => `${this.storeFile(preload)}.partial`;
  mountPoint = (preload: string): string => join(this.mountsDir, checked(preload));
}

/** The image that carries a preload. */
export const tagOfPreload = (preload: string): string => `${repository}:${checked(preload)}`;

/** A preload's name, which is its image's tag; undefined for what is none. */
export const preloadName = (text: string): string | undefined =>
  /^[0-9a-f]{12}$/.test(text) ? text : undefined;

/** Names become paths; one that is none is a bug of the caller. */
function checked(preload: string): string {
  if (preloadName(preload) === undefined) throw new TypeError(`"${preload}" is no preload`);
  return preload;
}
