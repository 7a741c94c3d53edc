import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ResizeRequest } from "../../../src/lib/contract/sandbox.js";
import type { SandboxRecord } from "../../../src/provisioner/records.js";
import { agreed, TestBerth } from "../../fakes/berth.js";

const MiB = 1024 ** 2;
const GiB = 1024 ** 3;
const hour = 3_600_000;

let berth: TestBerth;
let record: SandboxRecord;
beforeEach(async () => {
  berth = await TestBerth.start();
  record = await berth.create("ann");
  berth.host.calls.length = 0;
});
afterEach(async () => {
  await berth.stop();
});

const limits = (of = record) => berth.limitsOf(of.id);

const growth = { memory: 2 * GiB, cpus: 3, pids: 1024, disk: 20 * GiB };
const shrinking = { memory: 512 * MiB, cpus: 0.5, pids: 128 };
const mixed = { memory: 2 * GiB, cpus: 0.5, disk: 20 * GiB };
const resize = (request: ResizeRequest) => berth.provisioner.resize(record.id, request);

describe("resizing a sandbox", () => {
  it("lets slice, then container, then disk grow", async () => {
    const resized = await resize(growth);
    const wanted = { memoryBytes: 2 * GiB, cpus: 3, pids: 1024, diskBytes: 20 * GiB };
    expect(resized).toEqual({ ...record, limits: wanted });
    expect(limits()).toEqual(agreed(wanted));
    expect(berth.host.calls).toEqual([
      ...["disks.checkGrowth", "records.save", "slices.ensure"],
      ...["engine.setLimits", "disks.grow"],
    ]);
  });

  it("shrinks the container first, and then the slice, after a look at what is used", async () => {
    await resize(shrinking);
    const wanted = { memoryBytes: 512 * MiB, cpus: 0.5, pids: 128 };
    expect(limits()).toEqual(agreed({ ...record.limits, ...wanted }));
    expect(berth.host.calls).toEqual([
      ...["engine.usage", "engine.setLimits", "records.save", "slices.ensure", "disks.grow"],
    ]);
  });

  it("gives the slice room for both while some limits grow and others shrink", async () => {
    const hang = berth.host.hangAt("engine.setLimits");
    const resized = resize(mixed);
    await hang.reached;
    expect(berth.host.slices.get("ann")).toEqual({ memoryBytes: 2 * GiB, cpus: 1.5, pids: 512 });
    hang.release();
    await resized;
    const wanted = { ...record.limits, memoryBytes: 2 * GiB, cpus: 0.5, diskBytes: 20 * GiB };
    expect(limits()).toEqual(agreed(wanted));
  });

  it("leaves a second sandbox of the user as it is, and the slice holds both", async () => {
    const other = await berth.create("ann", { name: "ci", memory: 512 * MiB });
    await resize({ memory: 2 * GiB });
    expect(limits(other).container.memoryBytes).toBe(512 * MiB);
    expect(berth.host.slices.get("ann")?.memoryBytes).toBe(2560 * MiB);
  });

  it("lets two sandboxes of a user change at once", async () => {
    const other = await berth.create("ann", { name: "ci" });
    await Promise.all([resize(shrinking), berth.provisioner.resize(other.id, growth)]);
    expect(berth.host.slices.get("ann")).toEqual({
      memoryBytes: 2560 * MiB,
      cpus: 3.5,
      pids: 1152,
    });
  });

  it("sets everything again when nothing differs: it also mends", async () => {
    const container = berth.host.containers.get(record.id);
    if (container) container.launch.limits = { ...record.limits, pids: 1 };
    await resize({ memory: record.limits.memoryBytes });
    expect(limits()).toEqual(agreed(record.limits));
  });

  it("is still so after a restart of the daemon, and after a reboot", async () => {
    const { limits: wanted } = await resize(mixed);
    await berth.restart();
    await berth.provisioner.start();
    expect(limits()).toEqual(agreed(wanted));
    berth.host.reboot();
    await berth.restart();
    await berth.provisioner.start();
    expect(limits()).toEqual(agreed(wanted));
  });

  it("does not take back time that was added meanwhile", async () => {
    const hang = berth.host.hangAt("disks.grow");
    berth.host.failAt("disks.grow");
    const resized = resize(growth);
    await hang.reached;
    const { expiresAt } = await berth.provisioner.extend(record.id, hour);
    hang.release();
    await expect(resized).rejects.toThrow("disks.grow failed");
    expect(berth.provisioner.get(record.id)).toEqual({ ...record, expiresAt });
  });

  it("tells those who follow the sandbox, once", async () => {
    const states: string[] = [];
    const stop = berth.provisioner.events.follow(record.id, ({ type, data }) => {
      if (type === "state") states.push(data.state);
    });
    states.length = 0;
    await resize(growth);
    stop();
    expect(states).toEqual(["ready"]);
  });
});

describe("a resize that cannot be", () => {
  const refusedWith = (code: string, text: RegExp) => ({
    code,
    message: expect.stringMatching(text) as string,
  });

  it.each<[string, ResizeRequest, RegExp]>([
    ["out of range", { memory: 1 }, /out of range/],
    ["a smaller disk", { disk: 5 * GiB, memory: 2 * GiB }, /only grows/],
    ["less memory than is used", { memory: 250 * MiB, cpus: 3 }, /300M in use now/],
    ["fewer pids than run", { pids: 64 }, /100 processes and threads that run now/],
  ])("is refused before anything changes: %s", async (_what, request, text) => {
    berth.host.used = { memoryBytes: 300 * MiB, cpuSeconds: 1, pids: 100 };
    await expect(resize(request)).rejects.toMatchObject(refusedWith("LIMIT_OUT_OF_RANGE", text));
    expect(limits()).toEqual(agreed(record.limits));
    expect(berth.host.calls.filter((call) => call !== "engine.usage")).toEqual([]);
  });

  it("is refused before anything changes where a mounted disk cannot grow", async () => {
    berth.host.mayGrow = false;
    await expect(resize(mixed)).rejects.toMatchObject({ code: "DISK_FAILED" });
    expect(berth.host.calls).toEqual(["disks.checkGrowth"]);
    await expect(resize({ memory: 2 * GiB })).resolves.toBeDefined();
  });

  it("is refused for a sandbox that is not ready, without waiting for it", async () => {
    const hang = berth.host.hangAt("engine.start");
    const { record: begun, ready } = await berth.provisioner.begin({ user: "bob" });
    await hang.reached;
    const early = berth.provisioner.resize(begun.id, growth);
    await expect(early).rejects.toMatchObject({ code: "SANDBOX_NOT_READY" });
    hang.release();
    await ready;
    await expect(berth.provisioner.resize("zzzzzzzz", growth)).rejects.toMatchObject({
      code: "SANDBOX_NOT_FOUND",
    });
  });

  it("is refused when the sandbox is gone once its turn comes", async () => {
    const hang = berth.host.hangAt("door.close");
    const removed = berth.provisioner.remove(record.id);
    await hang.reached;
    const late = resize(growth);
    late.catch(() => undefined);
    hang.release();
    await removed;
    await expect(late).rejects.toThrow(/not ready|no sandbox/);
    expect(await berth.leftovers()).toEqual([]);
  });
});

describe("a resize that fails half-way", () => {
  const everything = { memory: 2 * GiB, cpus: 0.5, pids: 128, disk: 20 * GiB };
  it.each([
    ["records.save", 1],
    ["slices.ensure", 1],
    ["engine.setLimits", 1],
    ["records.save", 2],
    ["slices.ensure", 2],
    ["disks.grow", 1],
  ])("at %s (time %i) leaves the old limits everywhere and says why", async (call, nth) => {
    const once = new Error("out of luck");
    berth.host.failOnceAt(call, once, nth);
    await expect(resize(everything)).rejects.toBe(once);
    expect(limits()).toEqual(agreed(record.limits));
    await berth.restart();
    expect(limits()).toEqual(agreed(record.limits));

    await resize(everything);
    expect(limits().diskBytes).toBe(20 * GiB);
  });

  it("undoes what it can when something does not come back", async () => {
    berth.host.failAt("engine.setLimits");
    await expect(resize(everything)).rejects.toThrow("engine.setLimits failed");
    expect(limits()).toEqual(agreed(record.limits));
  });
});
