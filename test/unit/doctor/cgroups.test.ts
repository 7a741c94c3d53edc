import { describe, expect, it } from "vitest";
import {
  cgroupVersion,
  decideDelegation,
  lookAtCgroups,
  readCgroups,
} from "../../../src/doctor/cgroups.js";
import { fakeMachine } from "./fake-machine.js";

const v2 = "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";
const v1 = (...controllers: string[]) =>
  controllers
    .map(
      (names, i) => `3${i} 24 0:2${i} / /sys/fs/cgroup/${names} rw - cgroup cgroup rw,${names}\n`,
    )
    .join("");

const unified = (controllers: string, enabled = controllers, slices: string[] = []) =>
  fakeMachine({
    "/proc/self/mountinfo": v2,
    "/sys/fs/cgroup/cgroup.controllers": controllers,
    "/sys/fs/cgroup/berth.slice/cgroup.subtree_control": enabled,
    ...Object.fromEntries(
      slices.map((name) => [`/sys/fs/cgroup/berth.slice/${name}/cgroup.procs`, ""]),
    ),
  });

const hybrid = fakeMachine({
  "/proc/self/mountinfo":
    v1("memory", "pids") + v2.replace("/sys/fs/cgroup ", "/sys/fs/cgroup/unified "),
  "/sys/fs/cgroup/unified/cgroup.controllers": "cpu io",
});

describe("cgroups", () => {
  it.each([
    ["ok", "version 2 (memory, cpu, pids)", unified("cpuset cpu io memory hugetlb pids")],
    ["warning", "version 2, without the controller io", unified("cpu memory pids")],
    ["failure", "no controller for memory", unified("cpu io pids")],
    [
      "ok",
      "version 1 (memory, cpu, pids)",
      fakeMachine({ "/proc/self/mountinfo": v1("memory", "cpu,cpuacct", "pids") }),
    ],
    [
      "failure",
      "no controller for pids",
      fakeMachine({ "/proc/self/mountinfo": v1("memory", "cpu") }),
    ],
    ["failure", "no controller for memory, cpu, pids", fakeMachine()],
    ["ok", "versions 1 and 2 (memory, cpu, pids)", hybrid],
  ])("%s: %s", async (status, what, machine) => {
    expect((await lookAtCgroups(machine))[0]).toMatchObject({ check: "cgroups", status, what });
  });

  it("counts a machine to version 2 only if the limits are held by it", async () => {
    expect(cgroupVersion(await readCgroups(unified("cpu memory pids")))).toBe(2);
    expect(cgroupVersion(await readCgroups(hybrid))).toBe(1);
  });
});

describe("delegation", () => {
  const slices = ["berth-ann.slice", "berth-bob.slice"];
  it.each([
    ["ok", "before there is a user", unified("cpu io memory pids", "")],
    ["ok", "when all is handed down", unified("cpu io memory pids", "cpu io memory pids", slices)],
    ["failure", "when one is not", unified("cpu io memory pids", "cpu io memory", slices)],
    ["ok", "on version 1, which knows none", fakeMachine({ "/proc/self/mountinfo": v1("memory") })],
  ])("%s %s", async (status, _when, machine) => {
    expect((await lookAtCgroups(machine))[1]).toMatchObject({ check: "delegation", status });
  });

  it("names what is missing", () => {
    expect(decideDelegation({ users: 1, enabled: ["cpu"] }).what).toContain("memory, pids");
  });
});
