import { realpath } from "node:fs/promises";
import { basename } from "node:path";
import type { Finding } from "../cli/local.js";
import type { Config } from "../config.js";
import { ignoring } from "../lib/errors.js";
import type { Mount } from "../lib/mountinfo.js";
import { readCgroups } from "./cgroups.js";
import { failure, inOrder, warning } from "./findings.js";
import type { Machine } from "./machine.js";
import { mountBelow } from "./storage.js";

// Whether the kernel can bound what users read and write, where the configuration says so.

export interface IoFacts {
  dataDir: string;
  /** Keys below `io` that are set. */
  bounds: string[];
  /** Controllers of a version 2 hierarchy. */
  unified: string[];
  fileSystem: string;
  /** Block devices that it is known to lie on. */
  disks: number;
}

export async function lookAtIo(machine: Machine, config: Config): Promise<Finding> {
  const { dataDir, io } = config;
  const bounds = Object.entries(io).flatMap(([key, most]) => (most === undefined ? [] : [key]));
  const mount = await mountBelow(machine, dataDir);
  const { unified } = await readCgroups(machine);
  const disks = mount ? await countDisks(machine, mount) : 0;
  return decideIo({ dataDir, bounds, unified, fileSystem: mount?.type ?? "", disks });
}

/**
 * As systemd finds the disk of a directory (lookup_block_device in src/core/cgroup.c): by the number of its file
 * system's device; where that is none of a block device, as with all that have several disks or none, by asking btrfs.
 */
export async function countDisks(machine: Machine, mount: Mount): Promise<number> {
  if (!mount.device.startsWith("0:")) return 1;
  if (mount.type !== "btrfs") return 0;
  // /dev/mapper/data is dm-0 there.
  const name = basename((await ignoring(realpath(mount.source), "ENOENT")) ?? mount.source);
  for (const id of await machine.list("/sys/fs/btrfs")) {
    const devices = await machine.list(`/sys/fs/btrfs/${id}/devices`);
    if (devices.includes(name)) return devices.length;
  }
  return 1;
}

export function decideIo(facts: IoFacts): Finding {
  const check = "io";
  const { dataDir, bounds, unified, fileSystem, disks } = facts;
  if (bounds.length === 0)
    return inOrder(check, "the configuration bounds no traffic with the disk");
  const set = bounds.map((key) => `io.${key}`).join(", ");
  // As src/slice/cgroup-limits.ts takes them for in force.
  if (!unified.includes("memory")) {
    return warning(check, {
      what: `${set}: this host has cgroups of version 1, which bound no writes through the page cache`,
      why: "that is how nearly all is written: users are bounded in name only, and one who writes much slows down all",
      fix: "boot with systemd.unified_cgroup_hierarchy=1 (/etc/default/grub, update-grub), or take io out of the configuration",
    });
  }
  const why =
    "a bound that the configuration asks for and the kernel cannot hold fails each creation (SLICE_LIMITS_NOT_APPLIED)";
  if (!unified.includes("io")) {
    return failure(check, {
      what: `${set}: the kernel has no controller io`,
      why,
      fix: "boot a kernel with CONFIG_BLK_CGROUP and CONFIG_BLK_DEV_THROTTLING, such as Debian's, or take io out of the configuration",
    });
  }
  if (disks !== 1) {
    const on = disks === 0 ? "none can be told" : `it is on ${disks}`;
    return failure(check, {
      what: `${set}: there is no one disk below ${dataDir} (${fileSystem || "unknown"}: ${on})`,
      why,
      fix: "set dataDir in the configuration to a directory on ext4, xfs or btrfs on one disk, or take io out of it",
    });
  }
  return inOrder(check, `${set}, for each user, on the disk below ${dataDir}`);
}
