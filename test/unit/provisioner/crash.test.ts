import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TestBerth } from "../../fakes/berth.js";

let berth: TestBerth;
beforeEach(async () => {
  berth = await TestBerth.start();
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
