import { closeSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import type { CgroupDirectory } from "../lib/cgroup-mounts.js";
import { codeOf } from "../lib/errors.js";
import type { KernelCounters, Pressure, Stall } from "../lib/model.js";
import type { ContainerCgroup } from "./container-cgroup.js";

/**
 * Reads a container's counters: nine small files, ten on v1, twelve on v2 with pressure. Synchronously, since the kernel
 * makes them up in memory: 8 µs each, against 140 µs of processor time for one through Node's threads,
 * which 200 sandboxes every five seconds would feel.
 *
 * Kernel documentation: admin-guide/cgroup-v2.rst, and admin-guide/cgroup-v1/ for version 1.
 */
export function readCounters(cgroup: ContainerCgroup): KernelCounters {
  return {
    memory: memoryOf(cgroup.memory),
    pids: pidsOf(cgroup),
    cpu: cgroup.cpu.version === 2 ? cpuOfV2(cgroup.cpu) : cpuOfV1(cgroup.cpu, cgroup.cpuacct),
    pressure: cgroup.hasPressure ? pressureOf(cgroup.memory) : undefined,
  };
}

function memoryOf(directory: CgroupDirectory): KernelCounters["memory"] {
  const [current, limit, events, inactive] =
    directory.version === 2
      ? ["memory.current", "memory.max", "memory.events", "inactive_file"]
      : [
          "memory.usage_in_bytes",
          "memory.limit_in_bytes",
          "memory.oom_control",
          "total_inactive_file",
        ];
  return {
    currentBytes: count(read(directory, current)),
    inactiveFileBytes: value(read(directory, "memory.stat"), inactive),
    limitBytes: count(read(directory, limit)),
    kills: value(read(directory, events), "oom_kill"),
  };
}

function pidsOf({ pids, hasLocalPidsEvents, hasPidsPeak }: ContainerCgroup) {
  const events = hasLocalPidsEvents ? "pids.events.local" : "pids.events";
  return {
    current: count(read(pids, "pids.current")),
    limit: count(read(pids, "pids.max")),
    limitHits: value(read(pids, events), "max"),
    peak: hasPidsPeak ? count(read(pids, "pids.peak")) : 0,
  };
}

function cpuOfV2(directory: CgroupDirectory): KernelCounters["cpu"] {
  const stat = read(directory, "cpu.stat");
  return {
    usedSeconds: value(stat, "usage_usec") / 1e6,
    periods: value(stat, "nr_periods"),
    throttledPeriods: value(stat, "nr_throttled"),
    throttledSeconds: value(stat, "throttled_usec") / 1e6,
  };
}

function cpuOfV1(
  directory: CgroupDirectory,
  cpuacct: CgroupDirectory | undefined,
): KernelCounters["cpu"] {
  const stat = read(directory, "cpu.stat");
  return {
    usedSeconds: cpuacct ? count(read(cpuacct, "cpuacct.usage")) / 1e9 : 0,
    periods: value(stat, "nr_periods"),
    throttledPeriods: value(stat, "nr_throttled"),
    throttledSeconds: value(stat, "throttled_time") / 1e9,
  };
}

/** v2 has all controllers' files in one directory. */
function pressureOf(directory: CgroupDirectory): Pressure | undefined {
  const stall = (resource: keyof Pressure) => stallOf(read(directory, `${resource}.pressure`));
  try {
    return { cpu: stall("cpu"), memory: stall("memory"), io: stall("io") };
  } catch (error) {
    // Older kernels show the files even when told to keep no such account (psi=0).
    if (codeOf(error) === "EOPNOTSUPP") return undefined;
    throw error;
  }
}

/** "some avg10=0.00 avg60=1.25 avg300=0.31 total=12345", and the same of "full", absent for cpu before 5.13. */
function stallOf(text: string): Stall {
  const average = (kind: string) =>
    Number(new RegExp(`^${kind} .*\\bavg60=([\\d.]+)`, "m").exec(text)?.[1] ?? 0);
  return { somePercent: average("some"), fullPercent: average("full") };
}

/** Above what any of the files says: memory.stat, the longest, has some 2 kB. */
const buffer = Buffer.alloc(16_384);

/**
 * One read into the same memory each time: readFileSync takes 64 KiB anew for a file that gives its size
 * as 0, and half of what sampling cost was clearing that away. The kernel makes up such a file as one
 * record, which a single read gets whole (fs/kernfs/file.c, seq_read in fs/seq_file.c).
 */
function read({ path }: CgroupDirectory, file: string): string {
  const fd = openSync(join(path, file), "r");
  try {
    return buffer.toString("latin1", 0, readSync(fd, buffer));
  } finally {
    closeSync(fd);
  }
}

/** v1 writes no limit as the largest number of whole pages that 63 bits hold. */
const noLimitFrom = 2 ** 62;

/** A file with one number, or "max". */
function count(text: string): number {
  const number = text.startsWith("max") ? Infinity : Number(text);
  return number >= noLimitFrom ? Infinity : number;
}

/**
 * The number behind `key` in a file of `key number` lines; 0 when this kernel does not count it. Without
 * cutting the text into its lines, of which memory.stat has forty.
 */
function value(text: string, key: string): number {
  const lines = `\n${text}`;
  const before = `\n${key} `;
  const at = lines.indexOf(before);
  return at === -1 ? 0 : Number.parseInt(lines.slice(at + before.length), 10);
}
