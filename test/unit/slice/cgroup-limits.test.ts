import { describe, expect, it } from "vitest";
import { messageOf } from "../../../src/lib/errors.js";
import { verifyCgroupLimits } from "../../../src/slice/cgroup-limits.js";
import type { IoCeiling } from "../../../src/slice/properties.js";
import { makeCgroupTree, mountTables } from "./cgroup-tree.js";

const slice = "berth-ann.slice";
const cgroup = `/berth.slice/${slice}`;
const limits = { memoryBytes: 2 ** 30, cpus: 1.5, pids: 512 };
const files = {
  v2: {
    "memory.max": "1073741824",
    "memory.high": "1040187392",
    "memory.swap.max": "0",
    "cpu.max": "150000 100000",
    "pids.max": "512",
  },
  hybrid: {
    "memory/memory.limit_in_bytes": "1073741824",
    "cpu,cpuacct/cpu.cfs_quota_us": "150000",
    "cpu,cpuacct/cpu.cfs_period_us": "100000",
    "pids/pids.max": "512",
  },
};

/** The outcome of verifying a cgroup with `files`: "ok", or the message. A null file is not there. */
async function verify(
  kind: keyof typeof files,
  changes: Record<string, string | null> = {},
  wanted = limits,
  mountTable: string = mountTables[kind],
  io?: IoCeiling,
): Promise<string> {
  using tree = makeCgroupTree(kind, mountTable);
  const all: Record<string, string | null> = { ...files[kind], ...changes };
  for (const [path, text] of Object.entries(all)) {
    const [file = "", hierarchy = ""] = path.split("/").reverse();
    if (text !== null) tree.write(`sys/fs/cgroup/${hierarchy}${cgroup}/${file}`, `${text}\n`);
  }
  try {
    await verifyCgroupLimits(slice, cgroup, { ...wanted, io }, tree.root);
    return "ok";
  } catch (error) {
    expect(error).toMatchObject({ name: "BerthError", code: "SLICE_LIMITS_NOT_APPLIED" });
    return messageOf(error);
  }
}

describe("verifyCgroupLimits accepts", () => {
  const odd = { memoryBytes: 1_000_000_001, cpus: 1 / 3, pids: 512 };
  const tiny = { ...limits, cpus: 0.005 };
  const cases: [keyof typeof files, Record<string, string | null>, typeof limits, string][] = [
    ["v2", {}, limits, "limits in force"],
    ["hybrid", {}, limits, "limits in force"],
    ["v2", { "memory.swap.max": null }, limits, "a kernel without swap accounting"],
    [
      "v2",
      { "memory.max": "999997440", "memory.high": "968749056", "cpu.max": "33333 100000" },
      odd,
      "rounding to 4 KiB pages",
    ],
    [
      "v2",
      { "memory.max": "999948288", "memory.high": "968687616", "cpu.max": "33333 100000" },
      odd,
      "rounding to 64 KiB pages",
    ],
    ["v2", { "cpu.max": "1000 200000" }, tiny, "the longer period of a tiny quota"],
    [
      "hybrid",
      { "cpu,cpuacct/cpu.cfs_quota_us": "1000", "cpu,cpuacct/cpu.cfs_period_us": "200000" },
      tiny,
      "the same in v1",
    ],
  ];
  it.each(cases)("%s %j: %4$s", async (kind, changes, wanted) => {
    expect(await verify(kind, changes, wanted)).toBe("ok");
  });

  it("a berth.slice above that is bounded more tightly", async () => {
    expect(await verify("v2", { "../memory.max": "1" })).toBe("ok");
  });
});

describe("verifyCgroupLimits refuses", () => {
  const v2 = (controller: string) =>
    `is the ${controller} controller enabled in cgroup.subtree_control?`;
  it.each([
    [{ "memory.max": "max" }, `has memory.max "max" instead of 1073741824; ${v2("memory")}`],
    [{ "memory.max": null }, `has no memory.max (1073741824 wanted); ${v2("memory")}`],
    [
      { "memory.max": "1073745920" },
      `has memory.max "1073745920" instead of 1073741824; ${v2("memory")}`,
    ],
    [
      { "memory.max": "1073676288" },
      `has memory.max "1073676288" instead of 1073741824; ${v2("memory")}`,
    ],
    [{ "memory.high": "max" }, `has memory.high "max" instead of 1040187392; ${v2("memory")}`],
    [{ "memory.swap.max": "max" }, `has memory.swap.max "max" instead of 0; ${v2("memory")}`],
    [
      { "cpu.max": "max 100000" },
      `has cpu.max "max 100000" instead of 150000 of 100000 µs; ${v2("cpu")}`,
    ],
    [
      { "cpu.max": "150002 100000" },
      `has cpu.max "150002 100000" instead of 150000 of 100000 µs; ${v2("cpu")}`,
    ],
    [{ "pids.max": "max" }, `has pids.max "max" instead of 512; ${v2("pids")}`],
    [
      { "pids.max": "513", "memory.max": "max" },
      `has memory.max "max" instead of 1073741824 and has pids.max "513" instead of 512; ${v2("memory")}`,
    ],
  ])("v2 with %j", async (changes, message) => {
    expect(await verify("v2", changes)).toBe(`${slice} ${message}`);
  });

  const io = { path: "/var/lib/berth", readBytes: 200_000_000, writeIops: 2000 };
  const onDisk = (text: string) => verify("v2", { "io.max": text }, limits, mountTables.v2, io);

  it("ceilings of disks that are on none", async () => {
    const right = "rbps=200000000 wbps=max riops=max wiops=2000";
    expect(await onDisk(`7:0 rbps=1 wbps=1 riops=1 wiops=1\n254:0 ${right}`)).toBe("ok");
    for (const text of ["", "254:0 rbps=200000000 wbps=max riops=max wiops=max"]) {
      expect(await onDisk(text)).toContain(
        `has io.max "${text}" instead of rbps=200000000 wiops=2000; io in the configuration is for the disk below /var/lib/berth`,
      );
    }
    expect(await verify("v2", {}, limits, mountTables.v2, io)).toContain("has no io.max");
    expect(await verify("hybrid", {}, limits, mountTables.hybrid, io)).toBe("ok");
  });

  it.each([
    [
      { "memory/memory.limit_in_bytes": "9223372036854771712" },
      'has memory.limit_in_bytes "9223372036854771712" instead of 1073741824',
    ],
    [
      { "cpu,cpuacct/cpu.cfs_quota_us": "-1" },
      'has cpu.cfs_quota_us/cpu.cfs_period_us "-1/100000" instead of 150000 of 100000 µs',
    ],
    [{ "pids/pids.max": null }, "has no pids.max (512 wanted)"],
  ])("v1 with %j", async (changes, message) => {
    expect(await verify("hybrid", changes)).toContain(`${slice} ${message}; the kernel refused`);
  });

  it("a controller that is mounted nowhere", async () => {
    const table = mountTables.hybrid.replace(/^.*rw,pids$/m, "").replace(/^.*cgroup2.*$/m, "");
    expect(await verify("hybrid", {}, limits, table)).toBe(
      `${slice} has no pids cgroup; is the pids controller mounted (/proc/self/mountinfo) and the slice active?`,
    );
  });

  it("a slice without a cgroup, rather than reading the root's files", async () => {
    using tree = makeCgroupTree("v2");
    await expect(verifyCgroupLimits(slice, "", limits, tree.root)).rejects.toMatchObject({
      code: "SLICE_LIMITS_NOT_APPLIED",
    });
  });
});
