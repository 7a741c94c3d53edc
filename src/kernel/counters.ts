import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { CgroupDirectory } from "../lib/cgroup-mounts.js";
import type { KernelCounters } from "../lib/model.js";
import type { ContainerCgroup } from "./container-cgroup.js";

/**
 * Reads a container's counters: nine small files, ten on v1. Synchronously, since the kernel
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

function read({ path }: CgroupDirectory, file: string): string {
  return readFileSync(join(path, file), "latin1");
}

/** v1 writes no limit as the largest number of whole pages that 63 bits hold. */
const noLimitFrom = 2 ** 62;

/** A file with one number, or "max". */
function count(text: string): number {
  const number = text.startsWith("max") ? Infinity : Number(text);
  return number >= noLimitFrom ? Infinity : number;
}

/** The number behind `key` in a file of `key number` lines; 0 when this kernel does not count it. */
function value(text: string, key: string): number {
  for (const line of text.split("\n")) {
    if (line.startsWith(key) && line[key.length] === " ") return Number(line.slice(key.length + 1));
  }
  return 0;
}
