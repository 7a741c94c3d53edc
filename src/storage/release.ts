import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { BerthError, ignoring } from "../lib/errors.js";
import type { run } from "../lib/exec.js";
import { findHolders, type Held } from "./holders.js";
import { devicesOf } from "./loop-devices.js";

// Letting go of a disk. The kernel announces neither an unmount nor a detached loop device on
// anything that Node can wait on (netlink uevents, poll on mountinfo), hence the polling.
const pollMs = 20;

/** Runs `umount` until it works or `deadline` (ms since the epoch) has passed. */
export async function unmountBy(deadline: number, held: Held, exec: typeof run): Promise<void> {
  for (;;) {
    try {
      await exec("umount", [held.mountPoint]);
      return;
    } catch (error) {
      if (Date.now() >= deadline) throw await stillHeld(held, error);
    }
    await delay(pollMs);
  }
}

/** Waits until no loop device holds the image, and detaches those that would not go by themselves. */
export async function detachBy(
  deadline: number,
  image: string,
  mountPoint: string,
  host: { exec: typeof run; sysBlock: string },
): Promise<void> {
  for (;;) {
    const devices = await devicesOf(image, host.exec);
    if (devices.length === 0) return;
    for (const device of devices) await detachIfKept(device, host);
    if (Date.now() >= deadline) {
      const numbers = await Promise.all(devices.map((d) => loopFile(host.sysBlock, d, "dev")));
      throw await stillHeld({ mountPoint, devices: numbers });
    }
    await delay(pollMs);
  }
}

/**
 * `mount -o loop` lets the kernel detach at the last unmount; a device set up without a mount (by
 * hand, to look into a disk) stays until told.
 */
async function detachIfKept(device: string, host: { exec: typeof run; sysBlock: string }) {
  if ((await loopFile(host.sysBlock, device, "loop/autoclear")) !== "0") return;
  await host.exec("losetup", ["--detach", device]);
}

async function loopFile(sysBlock: string, device: string, name: string): Promise<string> {
  const file = join(sysBlock, basename(device), name);
  return ((await ignoring(readFile(file, "utf8"), "ENOENT", "ENXIO")) ?? "").trim();
}

async function stillHeld(held: Held, cause?: unknown): Promise<BerthError> {
  const holders = await findHolders(held);
  const by = holders.length === 0 ? "nobody we can see" : holders.join(", ");
  return new BerthError(
    "DISK_FAILED",
    `the disk of ${held.mountPoint} is still in use, by ${by}; end that, then try again`,
    { cause },
  );
}
