import { readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import { parseMountinfo } from "../lib/mountinfo.js";

/** What keeps a disk busy: its mount point in our own mount namespace, its device in any. */
export interface Held {
  mountPoint: string;
  /** `major:minor` of the loop devices. */
  devices: readonly string[];
}

/**
 * Processes that keep a disk from being let go of, for an error message: those with a copy of the
 * mount in their own mount namespace, and those that use it as directory or file. Reads `/proc`
 * only, never the disk. At most `limit`.
 */
export async function findHolders(held: Held, limit = 5): Promise<string[]> {
  const found: string[] = [];
  const ownNamespace = await readlink("/proc/self/ns/mnt");
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  for (const pid of pids) {
    if (found.length >= limit) break;
    // A process may end, or be a kernel thread, at any of these reads.
    const how = await howHeld(join("/proc", pid), held, ownNamespace).catch(() => undefined);
    if (how === undefined) continue;
    const name = await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "?");
    found.push(`process ${pid} (${name.trim()}) ${how}`);
  }
  return found;
}

async function howHeld(process: string, held: Held, ownNamespace: string) {
  if ((await readlink(join(process, "ns/mnt"))) !== ownNamespace) {
    const mounts = parseMountinfo(await readFile(join(process, "mountinfo"), "utf8"));
    const copied = mounts.some(({ device }) => held.devices.includes(device));
    return copied ? "has it in its mount namespace" : undefined;
  }
  const descriptors = await readdir(join(process, "fd"));
  const links = ["cwd", "root", ...descriptors.map((fd) => `fd/${fd}`)];
  for (const link of links) {
    const target = await readlink(join(process, link)).catch(() => "");
    if (`${target}/`.startsWith(`${held.mountPoint}/`)) return `uses it (${link})`;
  }
  return undefined;
}
