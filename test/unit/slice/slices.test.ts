import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { pino } from "pino";
import { describe, expect, it, onTestFinished } from "vitest";
import { BerthError } from "../../../src/lib/errors.js";
import { UserSlices } from "../../../src/slice/slices.js";
import { FakeSystemd } from "../../fakes/systemd.js";
import { makeCgroupTree } from "./cgroup-tree.js";

const limits = { memoryBytes: 2 ** 30, cpus: 1.5, pids: 512 };
const larger = { memoryBytes: 2 ** 31, cpus: 2, pids: 1024 };
const ann = "berth-ann.slice";

function setUp(kind: "v2" | "hybrid" = "v2", options: { isKernelDeaf?: boolean } = {}) {
  const tree = makeCgroupTree(kind);
  onTestFinished(() => {
    tree[Symbol.dispose]();
  });
  const systemd = new FakeSystemd((cgroup, properties) => {
    tree.realise(cgroup, properties && options.isKernelDeaf ? {} : properties);
  });
  const slices = new UserSlices({
    systemd,
    installation: "0123abcd",
    log: pino({ level: "silent" }),
    root: tree.root,
  });
  return { systemd, slices, tree };
}

describe.each(["v2", "hybrid"] as const)("slices on cgroup %s", (kind) => {
  it("start with the user's limits and are gone after release", async () => {
    const { systemd, slices } = setUp(kind);
    await slices.ensure("ann", limits);
    expect(systemd.units.get(ann)).toMatchObject({
      origin: "transient",
      active: true,
      properties: { MemoryMax: 1_073_741_824n, MemorySwapMax: 0n, TasksMax: 512n },
    });
    await slices.release("ann");
    expect(systemd.units.size).toBe(0);
  });

  it("change live", async () => {
    const { systemd, slices } = setUp(kind);
    await slices.ensure("ann", limits);
    await slices.ensure("ann", larger);
    expect(systemd.units.get(ann)).toMatchObject({
      properties: { MemoryMax: 2_147_483_648n, CPUQuotaPerSecUSec: 2_000_000n, TasksMax: 1024n },
    });
    expect(systemd.calls).not.toContain(`stop ${ann}`);
  });

  it("leave nothing behind when the kernel does not take the limits", async () => {
    const { systemd, slices } = setUp(kind, { isKernelDeaf: true });
    await expect(slices.ensure("ann", limits)).rejects.toMatchObject({
      code: "SLICE_LIMITS_NOT_APPLIED",
    });
    expect(systemd.units.size).toBe(0);
  });
});

describe("ensure", () => {
  it("gives an implicit slice its limits", async () => {
    const { systemd, slices } = setUp();
    systemd.load(ann, { origin: "implicit" });
    await slices.ensure("ann", limits);
    expect(systemd.units.get(ann)).toMatchObject({
      origin: "transient",
      properties: { TasksMax: 512n },
    });
  });

  it("waits for an implicit slice that is just being started, then gives it its limits", async () => {
    const { systemd, slices } = setUp();
    systemd.load(ann, { origin: "implicit", active: false, starting: true });
    await slices.ensure("ann", limits);
    expect(systemd.units.get(ann)).toMatchObject({ active: true, properties: { TasksMax: 512n } });
  });

  it("starts a stopped slice that another unit keeps loaded", async () => {
    const { systemd, slices } = setUp();
    await slices.ensure("ann", limits);
    Object.assign(systemd.units.get(ann) ?? {}, { referenced: true });
    await slices.release("ann");
    expect(await slices.idleUsers()).toEqual([]);
    await slices.ensure("ann", larger);
    expect(systemd.units.get(ann)).toMatchObject({ active: true, properties: { TasksMax: 1024n } });
  });

  it("starts over when the slice vanishes under it", async () => {
    const { systemd, slices } = setUp();
    systemd.load(ann, { origin: "transient" });
    const isTransient = systemd.isTransient.bind(systemd);
    systemd.isTransient = async (name) => {
      const answer = await isTransient(name);
      systemd.units.delete(name);
      return answer;
    };
    await slices.ensure("ann", limits);
    expect(systemd.units.get(ann)).toMatchObject({ active: true, properties: { TasksMax: 512n } });
  });

  it("keeps a slice that was there before, with what may run in it, when its new limits are not taken", async () => {
    const { systemd, slices } = setUp("v2", { isKernelDeaf: true });
    systemd.load(ann, { origin: "implicit" });
    await expect(slices.ensure("ann", limits)).rejects.toMatchObject({
      code: "SLICE_LIMITS_NOT_APPLIED",
    });
    expect(systemd.units.get(ann)).toMatchObject({ active: true });
  });

  it("refuses a slice that an operator wrote a unit file for, and says what to remove", async () => {
    const { systemd, slices } = setUp();
    systemd.load(ann, { origin: "file" });
    await expect(slices.ensure("ann", limits)).rejects.toMatchObject({
      code: "SLICE_FAILED",
      message: expect.stringContaining(`systemctl cat '${ann}'`) as string,
    });
  });

  it("passes on that systemd cannot be reached", async () => {
    const { systemd, slices } = setUp();
    systemd.failure = new BerthError("SYSTEMD_UNREACHABLE", "no bus");
    await expect(slices.ensure("ann", limits)).rejects.toBe(systemd.failure);
  });
});

describe("release", () => {
  it("is no error when the slice is not there", async () => {
    const { slices } = setUp();
    await expect(slices.release("ann")).resolves.toBeUndefined();
  });

  it("leaves a slice in which something still runs", async () => {
    const { systemd, slices } = setUp();
    systemd.load(ann, { origin: "transient", busy: true });
    await slices.release("ann");
    expect(systemd.units.get(ann)).toMatchObject({ active: true });
  });
});

describe("idleUsers", () => {
  it("names those with an active slice of ours in which nothing runs, unescaped, and nobody else", async () => {
    const { systemd, slices } = setUp();
    await slices.ensure("ann", limits);
    await slices.ensure("bob-2.x_y", limits);
    for (const name of ["berth.slice", "berth-a-b.slice", "berth-\\x61.slice", "user-0.slice"]) {
      systemd.load(name);
    }
    systemd.load("berth-idle.slice", { active: false });
    systemd.load("berth-busy.slice", { busy: true });
    systemd.load("berth-eve.slice", { properties: { Description: "x (Berth 99999999)" } });
    expect(await slices.idleUsers()).toEqual(["ann", "bob-2.x_y"]);
  });
});

describe("directories that runc leaves in v1 hierarchies", () => {
  const left = "sys/fs/cgroup/memory/berth.slice/berth-ann.slice";

  it("go with the slice", async () => {
    const { slices, tree } = setUp("hybrid");
    mkdirSync(join(tree.root, left), { recursive: true });
    await slices.release("ann");
    expect(existsSync(join(tree.root, left))).toBe(false);
  });

  it("make their user idle, so that reconcile finds them after a crash", async () => {
    const { slices, tree } = setUp("hybrid");
    mkdirSync(join(tree.root, left), { recursive: true });
    expect(await slices.idleUsers()).toEqual(["ann"]);
  });

  it("stay when something is in them", async () => {
    const { slices, tree } = setUp("hybrid");
    mkdirSync(join(tree.root, left, "docker-1.scope"), { recursive: true });
    await slices.release("ann");
    expect(existsSync(join(tree.root, left))).toBe(true);
  });
});
