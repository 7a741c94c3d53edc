import { describe, expect, it } from "vitest";
import { parseConfig } from "../../../src/config.js";
import { limits, lookAtLimits, pathOf } from "../../../src/doctor/limits.js";
import { fakeMachine } from "./fake-machine.js";

const GiB = 1024 ** 3;

/** What a Debian 13 with 4 GiB comes with. */
const stock = {
  "fs.inotify.max_user_instances": 128,
  "fs.inotify.max_user_watches": 29_000,
  "kernel.keys.root_maxkeys": 1_000_000,
  "kernel.keys.root_maxbytes": 25_000_000,
  "net.netfilter.nf_conntrack_max": 262_144,
  "kernel.pid_max": 4_194_304,
  "kernel.threads-max": 31_000,
  "fs.file-max": 9_000_000_000_000,
  "kernel.pty.max": 4096,
  "user.max_cgroup_namespaces": 15_500,
  "user.max_ipc_namespaces": 15_500,
  "user.max_mnt_namespaces": 15_500,
  "user.max_net_namespaces": 15_500,
  "user.max_pid_namespaces": 15_500,
  "user.max_uts_namespaces": 15_500,
  "net.ipv4.neigh.default.gc_thresh3": 1024,
};

const machine = (values: Record<string, number>) =>
  fakeMachine(
    Object.fromEntries(
      Object.entries(values).map(([name, value]) => [pathOf(name), String(value)]),
    ),
  );

interface Given {
  sandboxes?: number;
  memoryBytes?: number;
  cgroupVersion?: 1 | 2;
  config?: object;
}

async function faults(
  values: Record<string, number>,
  { sandboxes = 18, memoryBytes = 4 * GiB, cgroupVersion = 1, config = {} }: Given = {},
) {
  const parsed = parseConfig(config, "test config");
  const found = await lookAtLimits(machine(values), parsed, {
    sandboxes,
    memoryBytes,
    cgroupVersion,
  });
  expect(found.map(({ check }) => check)).toEqual(limits.map(({ check }) => check));
  return found.filter(({ status }) => status !== "ok");
}

describe("limits", () => {
  it("are enough on a stock host for what its memory holds", async () => {
    expect(await faults(stock)).toEqual([]);
  });

  it.each([
    ["inotify", { "fs.inotify.max_user_instances": 127 }, "max_user_instances = 128"],
    ["inotify", { "fs.inotify.max_user_watches": 8000 }, "max_user_watches = 16384"],
    ["keys", { "kernel.keys.root_maxkeys": 200 }, "root_maxkeys = 256"],
    ["keys", { "kernel.keys.root_maxbytes": 20_000 }, "root_maxbytes = 32768"],
    ["connections", { "net.netfilter.nf_conntrack_max": 32_768 }, "nf_conntrack_max = 65536"],
    ["processes", { "kernel.pid_max": 9000 }, "kernel.pid_max = 16384"],
    ["processes", { "kernel.threads-max": 9000 }, "kernel.threads-max = 16384"],
    ["open files", { "fs.file-max": 65_536 }, "fs.file-max = 262144"],
    ["terminals", { "kernel.pty.max": 1024 }, "kernel.pty.max = 2048"],
    ["namespaces", { "user.max_net_namespaces": 100 }, "user.max_net_namespaces = 512"],
    ["neighbours", { "net.ipv4.neigh.default.gc_thresh3": 100 }, "gc_thresh3 = 1024"],
  ])("of %s warn when %j", async (check, low, fix) => {
    const found = await faults({ ...stock, ...low });
    expect(found).toMatchObject([{ check, status: "warning" }]);
    expect(found[0]?.fix).toContain(fix);
    expect(found[0]?.what).toContain("for 18 sandboxes");
  });

  it("grow with the number of sandboxes", async () => {
    const checks = (await faults(stock, { sandboxes: 1000 })).map(({ check }) => check);
    expect(checks).toEqual(["connections", "processes", "terminals", "neighbours"]);
  });

  it("make the table of connections known before it is set at the boot", async () => {
    const [finding] = await faults({ ...stock, "net.netfilter.nf_conntrack_max": 32_768 });
    expect(finding?.fix).toMatch(
      /^echo nf_conntrack >\/etc\/modules-load\.d\/berth\.conf\nprintf .*nf_conntrack_max/,
    );
  });

  const lower = expect.stringMatching(/^lower limits\.default\.pids/) as string;
  it.each<[string, number, number, Partial<typeof stock>, unknown[]]>([
    [
      "are raised as far as there are pids",
      8000,
      1024,
      {},
      [expect.stringContaining("'kernel.threads-max = 4194304'")],
    ],
    [
      "ask for less than there are pids",
      9000,
      1024,
      { "kernel.threads-max": 1_000_000, "kernel.pid_max": 32_768 },
      [expect.stringContaining("'kernel.pid_max = 4194304' 'kernel.threads-max = 4194304'"), lower],
    ],
    [
      "ask for less than there are pids, where all are",
      9000,
      1024,
      { "kernel.threads-max": 2 ** 22 },
      [lower],
    ],
    [
      "ask for less than memory has stacks for",
      300,
      4,
      {},
      [expect.stringContaining("'kernel.threads-max = 131072'"), lower],
    ],
    [
      "are raised to what memory has stacks for",
      200,
      4,
      {},
      [expect.stringContaining("'kernel.threads-max = 131072'")],
    ],
  ])("of processes %s", async (_do, sandboxes, gigabytes, low, lines) => {
    const given = { sandboxes, memoryBytes: gigabytes * GiB };
    const found = await faults({ ...stock, ...low }, given);
    const processes = found.find(({ check }) => check === "processes");
    expect(processes?.fix?.split("\n")).toEqual(lines);
  });

  it("want an inotify instance for each container on cgroup v2", async () => {
    expect(await faults(stock, { cgroupVersion: 2 })).toMatchObject([
      { check: "inotify", fix: expect.stringContaining("max_user_instances = 256") as string },
    ]);
  });

  it("want more of what is root's where sandboxes run as root", async () => {
    const config = { allowPrivileged: true, profiles: { trusted: { isolation: "privileged" } } };
    const low = { ...stock, "kernel.keys.root_maxkeys": 1000 };
    expect((await faults(low, { config })).map(({ check }) => check)).toEqual(["inotify", "keys"]);
    expect(await faults(low)).toEqual([]);
  });

  it("pass over what this kernel or namespace does not know", async () => {
    expect(await faults({})).toEqual([]);
  });
});
