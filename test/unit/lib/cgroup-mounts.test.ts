import { describe, expect, it } from "vitest";
import { locateCgroup, parseCgroupMounts } from "../../../src/lib/cgroup-mounts.js";
import { mountTables } from "../slice/cgroup-tree.js";

const slice = "/berth.slice/berth-ann.slice";
const v1 = (root: string, mountPoint: string, controllers: string) =>
  `40 31 0:31 ${root} ${mountPoint} rw - cgroup cgroup rw,${controllers}\n`;

describe("locateCgroup", () => {
  it.each([
    ["v2", mountTables.v2, "memory", 2, `/sys/fs/cgroup${slice}`],
    ["hybrid", mountTables.hybrid, "memory", 1, `/sys/fs/cgroup/memory${slice}`],
    ["hybrid, co-mounted", mountTables.hybrid, "cpu", 1, `/sys/fs/cgroup/cpu,cpuacct${slice}`],
    ["hybrid, left to v2", mountTables.hybrid, "io", 2, `/sys/fs/cgroup/unified${slice}`],
    ["a part of the tree", v1("/berth.slice", "/cg", "pids"), "pids", 1, "/cg/berth-ann.slice"],
    ["a space in the path", v1("/", "/my\\040cg", "pids"), "pids", 1, `/my cg${slice}`],
    ["mounted twice", v1("/x", "/cg", "pids") + v1("/", "/cg", "pids"), "pids", 1, `/cg${slice}`],
    [
      "the other part on top",
      v1("/", "/a", "pids") + v1("/x", "/b", "pids"),
      "pids",
      1,
      `/a${slice}`,
    ],
  ] as const)("finds the files of a controller: %s", (_, table, controller, version, path) => {
    expect(locateCgroup(parseCgroupMounts(table), controller, slice)).toEqual({ version, path });
  });

  it.each([
    ["nothing is mounted", "22 28 0:21 / /sys rw - sysfs sysfs rw\n"],
    ["the controller is in no hierarchy", v1("/", "/cg", "cpu,cpuacct")],
    ["only another cgroup is mounted", v1("/berth", "/cg", "memory")],
    ["the table is empty", ""],
  ])("finds nothing when %s", (_, table) => {
    expect(locateCgroup(parseCgroupMounts(table), "memory", slice)).toBeUndefined();
  });
});
