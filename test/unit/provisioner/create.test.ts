import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TestBerth } from "../../fakes/berth.js";

let berth: TestBerth;
beforeEach(async () => {
  berth = await TestBerth.start();
});
afterEach(async () => {
  await berth.stop();
});

const MiB = 1024 ** 2;

describe("creating a sandbox", () => {
  it("makes slice, disk, container, network and route, and says ready", async () => {
    const record = await berth.create("ann");
    expect(record).toMatchObject({ user: "ann", name: "default", state: "ready" });
    const { host } = berth;
    expect(host.slices.get("ann")).toEqual({ memoryBytes: 1024 * MiB, cpus: 1.5, pids: 512 });
    expect(host.disks.get(record.id)?.mounted).toBe(true);
    expect(host.containers.get(record.id)?.running).toBe(true);
    expect(host.bridge).toBe(true);
    expect(host.calls.indexOf("isolation.raiseWall")).toBeLessThan(
      host.calls.indexOf("engine.start"),
    );
    expect(host.routes.get(record.id)?.engineHostPort).toBe(record.ports.engine);
  });

  it("gives the slice what all sandboxes of the user may use together", async () => {
    await berth.create("ann", { name: "one" });
    const two = await berth.create("ann", { name: "two", memory: 512 * MiB });
    expect(berth.host.slices.get("ann")?.memoryBytes).toBe(1536 * MiB);
    await berth.provisioner.remove(two.id);
    expect(berth.host.slices.get("ann")?.memoryBytes).toBe(1024 * MiB);
  });

  it("gives a privileged sandbox a network of its own and no uids", async () => {
    const given = {
      allowPrivileged: true,
      profiles: { trusted: { isolation: "privileged" } },
    };
    const other = await TestBerth.start(given);
    const record = await other.create("ann", { profile: "trusted" });
    expect(record.isolation).toBe("privileged");
    expect(record.uidBase).toBeUndefined();
    expect(other.host.networks).toContain(record.id);
    await other.stop();
  });

  it("keeps off the uids and addresses of sandboxes it has no record of", async () => {
    berth.host.strangersHoldings = [
      { uidBase: 0x40000000, address: "10.210.128.2" },
      { uidBase: 0x40020000, address: undefined },
    ];
    const both = [await berth.create("ann"), await berth.create("bob")];
    expect(both.map(({ uidBase }) => uidBase)).toEqual([0x40010000, 0x40030000]);
    expect(both.map(({ network }) => network.address)).toEqual(["10.210.128.3", "10.210.128.4"]);
  });

  it("hands out ports, addresses, uids and ids to nobody twice", async () => {
    const users = Array.from({ length: 20 }, (_, i) => `user${i}`);
    const records = await Promise.all(users.map((user) => berth.create(user)));
    const ports = records.flatMap(({ ports: { engine, from } }) => [engine, from]);
    expect(new Set(ports).size).toBe(40);
    expect(new Set(records.map(({ network }) => network.address)).size).toBe(20);
    expect(new Set(records.map(({ uidBase }) => uidBase)).size).toBe(20);
    expect(new Set(records.map(({ id }) => id)).size).toBe(20);
  });

  it("passes over ports that something else on the host listens on", async () => {
    berth.host.strangers.add(20000).add(21004);
    const { ports } = await berth.create();
    expect(ports).toEqual({ engine: 20001, from: 21010, to: 21019 });
  });

  it("names the range when no port is left", async () => {
    const small = await TestBerth.start({ ports: { engine: "20000-20000" } });
    await small.create("ann");
    await expect(small.create("bob")).rejects.toMatchObject({
      code: "PORTS_EXHAUSTED",
      message: expect.stringContaining("20000-20000") as string,
    });
    await small.stop();
  });

  it("lets one of two creations of the same name win and tells the other", async () => {
    const both = await Promise.allSettled([berth.create("ann"), berth.create("ann")]);
    expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    const lost = both.find((one) => one.status === "rejected");
    expect(lost?.reason).toMatchObject({ code: "SANDBOX_EXISTS" });
    expect(berth.provisioner.list()).toHaveLength(1);
  });

  it("refuses more sandboxes than a user may have", async () => {
    for (const name of ["a", "b", "c"]) await berth.create("ann", { name });
    await expect(berth.create("ann", { name: "d" })).rejects.toMatchObject({
      code: "SANDBOX_LIMIT_REACHED",
    });
    await expect(berth.create("bob")).resolves.toBeDefined();
  });

  it("says how to build the image when there is none", async () => {
    berth.host.imageBuilt = false;
    await expect(berth.create()).rejects.toMatchObject({ code: "IMAGE_MISSING" });
    expect(await berth.leftovers()).toEqual([]);
  });
});

describe("a creation that fails", () => {
  const calls = [
    "slices.ensure",
    "certificates.issueForSandbox",
    "disks.create",
    "disks.mount",
    "engine.prepareNetwork",
    "engine.prepareContainer",
    "engine.start",
    "door.open",
    "certificates.issueOwn",
    "engine.waitReady",
  ];
  it.each(calls)("leaves nothing behind when %s fails", async (call) => {
    berth.host.failAt(call);
    await expect(berth.create()).rejects.toThrow(`${call} failed`);
    expect(await berth.leftovers()).toEqual([]);
    berth.host.heal();
    await expect(berth.create()).resolves.toMatchObject({ state: "ready" });
  });

  it("does not disturb another sandbox of the same user", async () => {
    const first = await berth.create("ann", { name: "first" });
    berth.host.failAt("engine.start");
    await expect(berth.create("ann", { name: "second" })).rejects.toThrow();
    expect(berth.host.containers.get(first.id)?.running).toBe(true);
    expect(berth.host.slices.get("ann")?.memoryBytes).toBe(1024 * MiB);
  });

  it("stays on record as removing when it cannot be unwound, and reap finishes it", async () => {
    berth.host.failAt("engine.waitReady");
    berth.host.failAt("engine.remove");
    await expect(berth.create()).rejects.toThrow("engine.waitReady failed");
    expect(berth.provisioner.list()).toMatchObject([{ state: "removing" }]);
    berth.host.heal();
    await berth.provisioner.reap({ dryRun: false });
    expect(await berth.leftovers()).toEqual([]);
  });

  it("ends the events with the error's code and text", async () => {
    berth.host.failAt("engine.start");
    const { record, ready } = await berth.provisioner.begin({ user: "ann" });
    await expect(ready).rejects.toThrow();
    const events: unknown[] = [];
    berth.provisioner.events.follow(record.id, ({ data }) => events.push(data));
    expect(events.at(-1)).toMatchObject({
      state: "failed",
      problem: { code: "ENGINE_FAILED", detail: "engine.start failed" },
    });
    expect(events).toContainEqual(
      expect.objectContaining({ step: "start", status: "failed" }) as unknown,
    );
  });
});

describe("a creation that is broken off", () => {
  it("unwinds when its removal is asked for", async () => {
    const hang = berth.host.hangAt("engine.start");
    const { record, ready } = await berth.provisioner.begin({ user: "ann" });
    ready.catch(() => undefined);
    await hang.reached;
    const removed = berth.provisioner.remove(record.id);
    hang.release();
    await removed;
    await expect(ready).rejects.toMatchObject({ code: "CREATE_CANCELLED" });
    expect(await berth.leftovers()).toEqual([]);
  });

  it("unwinds before the daemon ends, which takes no new requests then", async () => {
    const hang = berth.host.hangAt("disks.create");
    const { ready } = await berth.provisioner.begin({ user: "ann" });
    ready.catch(() => undefined);
    await hang.reached;
    const closed = berth.provisioner.close();
    await expect(berth.create("bob")).rejects.toMatchObject({ code: "SHUTTING_DOWN" });
    hang.release();
    await closed;
    expect(await berth.leftovers()).toEqual([]);
  });
});
