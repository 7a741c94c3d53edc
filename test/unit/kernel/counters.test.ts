import { rmSync } from "node:fs";
import { join } from "node:path";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { HostKernel } from "../../../src/kernel/kernel.js";
import { makeCgroupTree, mountTables } from "../slice/cgroup-tree.js";

const containerId = "3f".repeat(32);
const facts = () => ({ containerId, pid: 4711 });
const cgroup = `/berth.slice/berth-ann.slice/docker-${containerId}.scope`;
const log = pino({ enabled: false });

/** The files of a container's cgroup as kernels write them, shortened; and the mount each is in. */
const files = {
  v2: {
    "memory.current": "524288000",
    "memory.max": "1073741824",
    "memory.stat": "anon 1\nfile 8192\ninactive_file 4096\nactive_file 2",
    "memory.events": "low 0\nhigh 0\nmax 812\noom 3\noom_kill 2\noom_group_kill 0",
    "pids.current": "40",
    "pids.max": "512",
    "pids.events": "max 9",
    "cpu.stat":
      "usage_usec 1500000\nuser_usec 1\nsystem_usec 2\nnr_periods 600\nnr_throttled 120\nthrottled_usec 2500000",
  },
  v1: {
    "memory/memory.usage_in_bytes": "524288000",
    "memory/memory.limit_in_bytes": "1073741824",
    "memory/memory.stat": "inactive_file 1\ntotal_cache 8192\ntotal_inactive_file 4096",
    "memory/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2",
    "pids/pids.current": "40",
    "pids/pids.max": "512",
    "pids/pids.events": "max 9",
    "cpu/cpu.stat": "nr_periods 600\nnr_throttled 120\nthrottled_time 2500000000",
    "cpuacct/cpuacct.usage": "1500000000",
  },
};
const hybrid = Object.fromEntries(
  Object.entries(files.v1).map(([path, text]) => [
    path.replace(/^cpu(acct)?\//, "cpu,cpuacct/"),
    text,
  ]),
);

const v1Table = ["memory", "pids", "cpu", "cpuacct"]
  .map((name, i) => `${40 + i} 31 0:3${i} / /sys/fs/cgroup/${name} rw - cgroup cgroup rw,${name}\n`)
  .join("");
const ofProcess = (path: string) => ({
  v2: `0::${path}\n`,
  v1: `4:pids:${path}\n3:memory:${path}\n2:cpuacct:${path}\n1:cpu:${path}\n0::/\n`,
  hybrid: `4:pids:${path}\n3:memory:${path}\n2:cpu,cpuacct:${path}\n1:name=systemd:${path}\n0::${path}\n`,
});

const kinds = {
  v2: { tree: "v2", table: mountTables.v2, files: files.v2 },
  v1: { tree: "hybrid", table: v1Table, files: files.v1 },
  hybrid: { tree: "hybrid", table: mountTables.hybrid, files: hybrid },
} as const;

const wanted = {
  memory: { currentBytes: 524288000, inactiveFileBytes: 4096, limitBytes: 2 ** 30, kills: 2 },
  pids: { current: 40, limit: 512, limitHits: 9, peak: 0 },
  cpu: { usedSeconds: 1.5, periods: 600, throttledPeriods: 120, throttledSeconds: 2.5 },
};

/** A machine with the container's cgroup; its first process sits in `leaf` of it. */
function machine(kind: keyof typeof kinds, changes: Record<string, string> = {}, leaf = "") {
  const { tree: treeKind, table, files: all } = kinds[kind];
  const tree = makeCgroupTree(treeKind, table);
  for (const [path, text] of Object.entries<string>({ ...all, ...changes })) {
    const [file = "", mount = ""] = path.split("/").reverse();
    tree.write(join("sys/fs/cgroup", mount, cgroup, file), `${text}\n`);
  }
  tree.write("proc/4711/cgroup", ofProcess(cgroup + leaf)[kind]);
  return tree;
}

describe("the counters of a container", () => {
  it.each(["v2", "v1", "hybrid"] as const)("are read on %s", async (kind) => {
    using tree = machine(kind);
    expect(await new HostKernel({ log, root: tree.root }).counters(facts())).toEqual(wanted);
  });

  it.each(["v2", "v1", "hybrid"] as const)(
    "are the container's own on %s, wherever below it its process sits",
    async (kind) => {
      using tree = machine(kind, {}, `/init/${"0b".repeat(32)}`);
      expect(await new HostKernel({ log, root: tree.root }).counters(facts())).toEqual(wanted);
    },
  );

  it("know a kernel that counts apart for the cgroups below", async () => {
    using tree = machine("v2", { "pids.events": "max 50", "pids.events.local": "max 9" });
    const counters = await new HostKernel({ log, root: tree.root }).counters(facts());
    expect(counters?.pids.limitHits).toBe(9);
  });

  it("know a kernel that keeps the peak", async () => {
    using tree = machine("hybrid", { "pids/pids.peak": "512" });
    const counters = await new HostKernel({ log, root: tree.root }).counters(facts());
    expect(counters?.pids.peak).toBe(512);
  });

  it.each([
    ["v2", { "memory.max": "max", "pids.max": "max" }],
    ["hybrid", { "memory/memory.limit_in_bytes": "9223372036854771712", "pids/pids.max": "max" }],
  ] as const)("have no limit where there is none (%s)", async (kind, changes) => {
    using tree = machine(kind, changes);
    const counters = await new HostKernel({ log, root: tree.root }).counters(facts());
    expect([counters?.memory.limitBytes, counters?.pids.limit]).toEqual([Infinity, Infinity]);
  });

  it("are 0 where an old kernel does not count", async () => {
    using tree = machine("v2", { "memory.events": "low 0", "cpu.stat": "usage_usec 5" });
    const counters = await new HostKernel({ log, root: tree.root }).counters(facts());
    expect(counters).toMatchObject({ memory: { kills: 0 }, cpu: { throttledPeriods: 0 } });
  });

  const pressure = {
    "cpu.pressure":
      "some avg10=9.00 avg60=4.50 avg300=1.00 total=81\nfull avg10=0.00 avg60=0.25 avg300=0.00 total=2",
    "memory.pressure":
      "some avg10=0.00 avg60=12.34 avg300=0.00 total=7\nfull avg10=0.00 avg60=3.21 avg300=0.00 total=1",
    // As cpu.pressure was before Linux 5.13: without "full".
    "io.pressure": "some avg10=0.00 avg60=0.50 avg300=0.00 total=0",
  };

  it("have the pressure of the last minute on v2", async () => {
    using tree = machine("v2", pressure);
    const counters = await new HostKernel({ log, root: tree.root }).counters(facts());
    expect(counters?.pressure).toEqual({
      cpu: { somePercent: 4.5, fullPercent: 0.25 },
      memory: { somePercent: 12.34, fullPercent: 3.21 },
      io: { somePercent: 0.5, fullPercent: 0 },
    });
  });

  it("are found once, and read anew", async () => {
    using tree = machine("v2");
    const kernel = new HostKernel({ log, root: tree.root });
    const kept = facts();
    await kernel.counters(kept);
    rmSync(join(tree.root, "proc"), { recursive: true });
    tree.write(join("sys/fs/cgroup", cgroup, "pids.current"), "41\n");
    expect((await kernel.counters(kept))?.pids.current).toBe(41);
    expect(await kernel.counters(facts())).toBeUndefined();
  });
});

describe("no counters are told", () => {
  it("of a container that does not run", async () => {
    using tree = machine("v2");
    const kernel = new HostKernel({ log, root: tree.root });
    expect(await kernel.counters({ containerId, pid: 0 })).toBeUndefined();
    expect(await kernel.counters({ containerId, pid: 4712 })).toBeUndefined();
    const kept = facts();
    await kernel.counters(kept);
    rmSync(join(tree.root, "sys/fs/cgroup", cgroup), { recursive: true });
    expect(await kernel.counters(kept)).toBeUndefined();
  });

  it("of another process that has the pid by now", async () => {
    using tree = machine("v2");
    tree.write("proc/4711/cgroup", "0::/system.slice/ssh.service\n");
    const kernel = new HostKernel({ log, root: tree.root });
    expect(await kernel.counters(facts())).toBeUndefined();
  });
});
