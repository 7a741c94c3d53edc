import type { StatsFs } from "node:fs";
import { BerthError, ignoring } from "../lib/errors.js";
import type { DiskSpace } from "../lib/model.js";

export interface SpaceHost {
  statfs: (
    path: string,
  ) => Promise<Pick<StatsFs, "bsize" | "blocks" | "bfree" | "bavail" | "ffree">>;
  /** Number of the device (st_dev) that a path is on. */
  deviceOf: (path: string) => Promise<number>;
}

/**
 * What is used and free of the file system mounted at `mountPoint`, in `mountsDir`. What ext4 keeps back
 * for itself is neither, so that a full disk has nothing free (statfs(2); df(1) reckons the same).
 * @throws BerthError DISK_FAILED when nothing is mounted there: the numbers would be the host's
 */
export async function spaceAt(
  mountPoint: string,
  mountsDir: string,
  host: SpaceHost,
): Promise<DiskSpace> {
  const [device, below] = await Promise.all([
    ignoring(host.deviceOf(mountPoint), "ENOENT"),
    ignoring(host.deviceOf(mountsDir), "ENOENT"),
  ]);
  if (device === undefined || device === below) {
    throw new BerthError("DISK_FAILED", `no disk is mounted at ${mountPoint}`);
  }
  const { bsize, blocks, bfree, bavail, ffree } = await host.statfs(mountPoint);
  return { usedBytes: (blocks - bfree) * bsize, freeBytes: bavail * bsize, freeInodes: ffree };
}
