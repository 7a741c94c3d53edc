import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { BerthError, codeOf } from "../lib/errors.js";
import { locateCgroup, parseCgroupMounts, type CgroupMount } from "../lib/cgroup-mounts.js";
import { memoryHighOf, type IoCeiling, type SliceLimits } from "./properties.js";

/** One limit as the kernel shows it. */
interface Check {
  /** Files in the cgroup's directory, read together. */
  files: string[];
  wanted: string;
  /** Whether the files' texts, in that order, are what was asked for. */
  holds(...texts: string[]): boolean;
  /** The kernel may lack it (swap accounting can be off), and then there is nothing to bound. */
  optional?: boolean;
}

/** The kernel counts memory in whole pages; the largest page of Linux's architectures is 64 KiB. */
const largestPageBytes = 65_536;

/**
 * Reads a slice's limits back from its cgroup's files (v1, hybrid and v2) and fails with
 * SLICE_LIMITS_NOT_APPLIED when one is not in force: systemd only logs when the kernel refuses one.
 *
 * Only the slice's own limits are looked at: `berth.slice` above may bound all users together more
 * tightly, which is its purpose and no fault.
 *
 * @param cgroup path in the hierarchy, systemd's ControlGroup property
 * @param limits `io` is looked at on v2 only: on v1 what goes through the page cache is not bounded in any case
 * @param root where /proc and the cgroup mounts are found; `/` but in tests
 */
export async function verifyCgroupLimits(
  slice: string,
  cgroup: string,
  limits: SliceLimits,
  root = "/",
): Promise<void> {
  const mounts = parseCgroupMounts(await readFile(join(root, "proc/self/mountinfo"), "utf8"));
  const controllers: Controller[] = ["memory", "cpu", "pids"];
  // On v1 the controller has another name, blkio, beside a v2 hierarchy that may lack it.
  if (limits.io && locateCgroup(mounts, "memory", cgroup)?.version === 2) controllers.push("io");
  const faults = await Promise.all(
    controllers.map((controller) => faultsOf(controller, { mounts, cgroup, limits, root })),
  );
  const [first] = faults.flat();
  if (!first) return;
  const found = faults.flat().map(({ text }) => text);
  throw new BerthError(
    "SLICE_LIMITS_NOT_APPLIED",
    `${slice} ${found.join(" and ")}; ${first.hint}`,
  );
}

type Controller = "memory" | "cpu" | "pids" | "io";

interface Fault {
  text: string;
  hint: string;
}

async function faultsOf(
  controller: Controller,
  where: { mounts: CgroupMount[]; cgroup: string; limits: SliceLimits; root: string },
): Promise<Fault[]> {
  const directory = locateCgroup(where.mounts, controller, where.cgroup);
  if (!directory || where.cgroup === "") {
    return [
      {
        text: `has no ${controller} cgroup`,
        hint: `is the ${controller} controller mounted (/proc/self/mountinfo) and the slice active?`,
      },
    ];
  }
  const hint = hintOf(controller, directory.version, where.limits);
  const faults: Fault[] = [];
  for (const check of checks[controller][directory.version](where.limits)) {
    const text = await faultOf(check, join(where.root, directory.path));
    if (text !== undefined) faults.push({ text, hint });
  }
  return faults;
}

/** What may be wrong where a limit is not in force. */
function hintOf(controller: Controller, version: 1 | 2, { io }: SliceLimits): string {
  if (controller === "io" && io)
    return `io in the configuration is for the disk below ${io.path}; does it lie on one, and does the kernel have blk-throttle?`;
  if (version === 2) return `is the ${controller} controller enabled in cgroup.subtree_control?`;
  return "the kernel refused it, as it does when more is already in use";
}

/** What is wrong with one limit, to follow the slice's name; undefined when nothing is. */
async function faultOf(check: Check, directory: string): Promise<string | undefined> {
  const texts = await Promise.all(check.files.map((file) => readCgroupFile(join(directory, file))));
  const present = texts.filter((text) => text !== undefined);
  const file = check.files.join("/");
  if (present.length < texts.length) {
    return check.optional ? undefined : `has no ${file} (${check.wanted} wanted)`;
  }
  if (check.holds(...present)) return undefined;
  return `has ${file} "${present.join("/")}" instead of ${check.wanted}`;
}

/** undefined when the file is not there, or its cgroup was removed under the reader (ENODEV). */
async function readCgroupFile(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, "utf8")).trim();
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENODEV") return undefined;
    throw error;
  }
}

/** Kernel documentation: admin-guide/cgroup-v2.rst, and admin-guide/cgroup-v1/ for version 1. */
const checks: Record<Controller, Record<1 | 2, (limits: SliceLimits) => Check[]>> = {
  memory: {
    1: ({ memoryBytes }) => [bytes("memory.limit_in_bytes", memoryBytes)],
    2: ({ memoryBytes }) => [
      bytes("memory.max", memoryBytes),
      bytes("memory.high", memoryHighOf(memoryBytes)),
      { ...bytes("memory.swap.max", 0), optional: true },
    ],
  },
  cpu: {
    1: ({ cpus }) => [quota(["cpu.cfs_quota_us", "cpu.cfs_period_us"], cpus)],
    // "150000 100000"
    2: ({ cpus }) => [quota(["cpu.max"], cpus)],
  },
  pids: {
    1: ({ pids }) => [count("pids.max", pids)],
    2: ({ pids }) => [count("pids.max", pids)],
  },
  io: {
    1: () => [],
    2: ({ io }) => (io ? [ioMax(io)] : []),
  },
};

/** Lines of "8:0 rbps=1048576 wbps=max riops=max wiops=max", one for each disk. */
function ioMax({ readBytes, writeBytes, readIops, writeIops }: IoCeiling): Check {
  const wanted = Object.entries({
    rbps: readBytes,
    wbps: writeBytes,
    riops: readIops,
    wiops: writeIops,
  }).flatMap(([key, most]) => (most === undefined ? [] : [`${key}=${most}`]));
  return {
    files: ["io.max"],
    wanted: wanted.join(" "),
    holds: (text) =>
      text.split("\n").some((line) => {
        const words = line.split(" ");
        return wanted.every((word) => words.includes(word));
      }),
  };
}

function bytes(file: string, wanted: number): Check {
  return {
    files: [file],
    wanted: String(wanted),
    holds: (text) => {
      const missing = /^\d+$/.test(text) ? wanted - Number(text) : NaN;
      return missing >= 0 && missing < largestPageBytes;
    },
  };
}

function count(file: string, wanted: number): Check {
  return { files: [file], wanted: String(wanted), holds: (text) => text === String(wanted) };
}

/**
 * systemd writes quota per period, in whole microseconds; the period is 100 ms, or longer when the
 * quota would fall below the kernel's least of 1 ms. So the ratio counts, to a microsecond.
 */
function quota(files: string[], cpus: number): Check {
  const usualPeriod = 100_000;
  return {
    files,
    wanted: `${Math.round(cpus * usualPeriod)} of ${usualPeriod} µs`,
    holds: (...texts) => {
      const [quotaUs = NaN, periodUs = NaN] = texts.flatMap((text) => text.split(" ")).map(Number);
      // NaN for v2's "max"; v1 writes -1 for no quota.
      return quotaUs > 0 && Math.abs(quotaUs - cpus * periodUs) <= 1 + periodUs / 1e6;
    },
  };
}
