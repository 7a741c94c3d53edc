import { lstat, truncate } from "node:fs/promises";
import { BerthError } from "../lib/errors.js";
import type { run } from "../lib/exec.js";
import { devicesOf } from "./loop-devices.js";
import { blockSize } from "./mkfs.js";

/** Makes an image file at least this long; what is added is a hole. Never makes one shorter. */
export async function growImage(image: string, sizeBytes: number): Promise<void> {
  const { size } = await lstat(image);
  if (size < sizeBytes) await truncate(image, sizeBytes);
}

/**
 * Grows the mounted ext4 file system on `device`, a loop device of `image`, to `sizeBytes`. Where a
 * growth was broken off is not asked: every step is safe to repeat, and resize2fs does nothing when
 * the size is right.
 */
export async function growFileSystem(
  { device, image, sizeBytes }: { device: string; image: string; sizeBytes: number },
  exec: typeof run,
): Promise<void> {
  // A loop device has the size its file had when it was attached, until told to look again.
  for (const attached of await devicesOf(image, exec)) {
    await exec("losetup", ["--set-capacity", attached]);
  }
  // Named, because the image may be longer: a growth that failed is not taken back from it.
  await exec("resize2fs", [device, String(Math.floor(sizeBytes / blockSize))]);
}

/** @throws BerthError DISK_FAILED */
export function mustBeGrowable(isGrowable: boolean): void {
  if (isGrowable) return;
  throw new BerthError(
    "DISK_FAILED",
    "cannot enlarge a disk while it is mounted: the kernel asks for CAP_SYS_RESOURCE, which root lacks on this host " +
      "(it is a container itself); create a new sandbox with the disk it needs",
  );
}
