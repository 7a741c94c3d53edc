import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { agreed, TestBerth } from "../../fakes/berth.js";

let berth: TestBerth;
beforeEach(async () => {
  berth = await TestBerth.start({ profiles: { default: { images: ["alpine:3"] } } });
});
afterEach(async () => {
  await berth.stop();
});

const whens = ["before", "after"] as const;
const each = (calls: string[]) => calls.flatMap((call) => whens.map((when) => ({ call, when })));

describe("a daemon killed in the middle of a creation", () => {
  const calls = [
    "slices.ensure",
    "certificates.issueForSandbox",
    "disks.create",
    "disks.mount",
    "preloads.mount",
    "engine.prepareNetwork",
    "engine.prepareContainer",
    "engine.start",
    "door.open",
    "engine.waitReady",
  ];
  it.each(each(calls))(
    "$when $call leaves nothing after the next start, and no other sandbox disturbed",
    async ({ call, when }) => {
      const other = await berth.create("bob");
      const before = await berth.leftovers();
      berth.host.killAt(call, when);
      await expect(berth.create("ann")).rejects.toThrow();
      expect(berth.host.isKilled).toBe(true);

      await berth.restart();
      await berth.provisioner.start();
      expect(await berth.leftovers()).toEqual(before);
      expect(berth.provisioner.list()).toMatchObject([{ id: other.id, state: "ready" }]);
    },
  );

  it("leaves nothing when it died before the record was written", async () => {
    await mkdir(join(berth.dir, "abcdefg1"));
    await berth.provisioner.start();
    expect(await berth.leftovers()).toEqual([]);
  });
});

describe("a daemon killed in the middle of a removal", () => {
  const calls = ["door.close", "engine.remove", "disks.remove", "slices.release"];
  it.each(each(calls))(
    "$when $call finishes the removal at the next start",
    async ({ call, when }) => {
      const other = await berth.create("bob");
      const before = await berth.leftovers();
      const { id } = await berth.create("ann");
      berth.host.killAt(call, when);
      await expect(berth.provisioner.remove(id)).rejects.toThrow();

      await berth.restart();
      await berth.provisioner.start();
      expect(await berth.leftovers()).toEqual(before);
      expect(berth.host.containers.get(other.id)?.running).toBe(true);
    },
  );
});

describe("a daemon killed in the middle of a resize", () => {
  const GiB = 1024 ** 3;
  // Some limits grow and some shrink, so that record and slice change twice.
  const request = { memory: 2 * GiB, cpus: 0.5, pids: 1024, disk: 20 * GiB };
  const old = { memoryBytes: GiB, cpus: 1.5, pids: 512, diskBytes: 10 * GiB };
  const asked = { memoryBytes: 2 * GiB, cpus: 0.5, pids: 1024, diskBytes: 20 * GiB };
  const moments = (calls: [call: string, nth: number][]) =>
    calls.flatMap(([call, nth]) => whens.map((when) => ({ call, nth, when })));

  async function expectAgreement(id: string): Promise<void> {
    await berth.provisioner.start();
    const limits = berth.limitsOf(id);
    expect(limits).toEqual(agreed(limits.record));
    // Nothing that nobody ever asked for; the disk never shrinks.
    for (const key of ["memoryBytes", "cpus", "pids", "diskBytes"] as const)
      expect([old[key], asked[key]], key).toContain(limits.record[key]);
    expect(berth.provisioner.get(id).state).toBe("ready");
    expect(berth.host.containers.get(id)?.running).toBe(true);
    await berth.provisioner.resize(id, request);
    expect(berth.limitsOf(id)).toEqual(agreed(asked));
  }

  const steps: [string, number][] = [
    ["disks.checkGrowth", 1],
    ["records.save", 1],
    ["slices.ensure", 1],
    ["engine.setLimits", 1],
    ["records.save", 2],
    ["slices.ensure", 2],
    ["disks.grow", 1],
  ];
  it.each(moments(steps))(
    "$when $call (time $nth) agrees with itself after the next start, and after a reboot",
    async ({ call, nth, when }) => {
      const other = await berth.create("bob");
      for (const meanwhile of [
        () => undefined,
        () => {
          berth.host.reboot();
        },
      ]) {
        const { id } = await berth.create("ann");
        berth.host.killAt(call, when, nth);
        await expect(berth.provisioner.resize(id, request)).rejects.toThrow("killed");
        meanwhile();
        await berth.restart();
        await expectAgreement(id);
        await berth.provisioner.remove(id);
      }
      expect(berth.provisioner.get(other.id)).toEqual(other);
      expect(berth.limitsOf(other.id)).toEqual(agreed(old));
    },
  );

  const undos: [string, number][] = [
    ["records.save", 3],
    ["slices.ensure", 3],
    ["engine.setLimits", 2],
    ["records.save", 4],
    ["slices.ensure", 4],
  ];
  it.each(moments(undos))(
    "$when $call (time $nth) that failed and is being undone agrees as well",
    async ({ call, nth, when }) => {
      const { id } = await berth.create("ann");
      berth.host.failOnceAt("disks.grow", new Error("no luck"));
      berth.host.killAt(call, when, nth);
      await expect(berth.provisioner.resize(id, request)).rejects.toThrow("no luck");
      expect(berth.host.isKilled).toBe(true);
      await berth.restart();
      await expectAgreement(id);
    },
  );

  it("sets limits right at its start that somebody changed behind its back", async () => {
    const { id, limits } = await berth.create("ann");
    const container = berth.host.containers.get(id);
    if (container) container.launch.limits = { ...limits, memoryBytes: GiB / 2 };
    await berth.restart();
    await berth.provisioner.start();
    expect(berth.limitsOf(id)).toEqual(agreed(limits));
  });

  it("sets what it can of one when its disk cannot be enlarged", async () => {
    const { id } = await berth.create("ann");
    berth.host.killAt("records.save", "after");
    await expect(berth.provisioner.resize(id, request)).rejects.toThrow("killed");
    await berth.restart();
    berth.host.failAt("disks.grow");
    await berth.provisioner.start();
    expect(berth.limitsOf(id).container.memoryBytes).toBe(2 * GiB);
    expect(berth.provisioner.get(id).state).toBe("ready");
  });
});

describe("after a reboot", () => {
  it("brings sandboxes back with slice, disk, ports and certificates as they were", async () => {
    const record = await berth.create("ann");
    const slice = berth.host.slices.get("ann");
    const ca = await berth.records.caPem(record.id);
    berth.host.reboot();
    await berth.restart();
    await berth.provisioner.start();
    expect(berth.provisioner.get(record.id)).toEqual(record);
    expect(berth.host.slices.get("ann")).toEqual(slice);
    expect(berth.host.containers.get(record.id)?.running).toBe(true);
    expect(berth.host.routes.has(record.id)).toBe(true);
    expect(await berth.records.caPem(record.id)).toBe(ca);
  });

  it("removes those whose time ran out meanwhile", async () => {
    await berth.create("ann", { ttl: 3_600_000 });
    berth.host.reboot();
    berth.later(3_600_001);
    await berth.restart();
    await berth.provisioner.start();
    expect(await berth.leftovers()).toEqual([]);
  });

  it("keeps one that does not start as failed, with the reason, and tries again at the next start", async () => {
    const { id } = await berth.create("ann");
    berth.host.reboot();
    await berth.restart();
    berth.host.failAt("engine.waitReady");
    await berth.provisioner.start();
    expect(berth.provisioner.get(id)).toMatchObject({
      state: "failed",
      reason: "engine.waitReady failed",
    });
    await berth.restart();
    await berth.provisioner.start();
    expect(berth.provisioner.get(id).state).toBe("ready");
    expect(berth.provisioner.get(id).reason).toBeUndefined();
  });
});

describe("what is not Berth's to judge", () => {
  it("leaves everything of a sandbox whose record cannot be read", async () => {
    const { id } = await berth.create("ann");
    await writeFile(join(berth.dir, id, "sandbox.json"), "{ damaged");
    await berth.restart();
    await berth.provisioner.start();
    expect(berth.host.containers.get(id)?.running).toBe(true);
    expect(berth.host.disks.has(id)).toBe(true);
  });

  it("leaves directories alone whose name is no id", async () => {
    await mkdir(join(berth.dir, "lost+found"));
    await berth.provisioner.start();
    expect(await berth.leftovers()).toEqual(["directory lost+found"]);
  });
});
