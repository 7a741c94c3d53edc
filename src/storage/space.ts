import type { StatsFs } from "node:fs";
import { BerthError } from "../lib/errors.js";
import type { DiskSpace } from "../lib/model.js";

/**
 * Synchronously: the kernel has both in memory, and a turn through Node's threads costs ten times as much,
 * which two hundred disks every five seconds would feel.
 */
export interface SpaceHost {
  statfs: (path: string) => Pick<StatsFs, "bsize" | "blocks" | "bfree" | "bavail" | "ffree">;
  /** Number of the device (st_dev) that a path is on; undefined when there is no such path. */
  deviceOf: (path: string) => number | undefined;
}

/**
 * What is used and free of the file system mounted at `mountPoint`, in `mountsDir`. What ext4 keeps back
 * for itself is neither, so that a full disk has nothing free (statfs(2); df(1) reckons the same).
 * @throws BerthError DISK_FAILED when nothing is mounted there: the numbers would be the host's
 */
export function spaceAt(mountPoint: string, mountsDir: string, host: SpaceHost): DiskSpace {
  const device = host.deviceOf(mountPoint);
  if (device === undefined || device === host.deviceOf(mountsDir)) {
    throw new BerthError("DISK_FAILED", `no disk is mounted at ${mountPoint}`);
  }
  const { bsize, blocks, bfree, bavail, ffree } = host.statfs(mountPoint);
  return { usedBytes: (blocks - bfree) * bsize, freeBytes: bavail * bsize, freeInodes: ffree };
}
