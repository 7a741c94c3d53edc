import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BerthError } from "../../../src/lib/errors.js";
import { TestBerth } from "../../fakes/berth.js";

let berth: TestBerth;
beforeEach(async () => {
  berth = await TestBerth.start();
});
afterEach(async () => {
  await berth.stop();
});

const hour = 3_600_000;

describe("reap", () => {
  it("removes what has expired and nothing else", async () => {
    const short = await berth.create("ann", { ttl: hour });
    const long = await berth.create("bob", { ttl: 2 * hour });
    berth.later(hour);
    const { actions } = await berth.provisioner.reap({ dryRun: false });
    expect(actions).toEqual([
      { act: "remove sandbox", thing: `${short.id} (ann/default)`, why: "expired 0s ago" },
    ]);
    expect(berth.provisioner.list().map(({ id }) => id)).toEqual([long.id]);
  });

  it("does nothing on a dry run but say what and why", async () => {
    await berth.create("ann", { ttl: hour });
    const before = await berth.leftovers();
    berth.later(hour + 60_000);
    const { actions } = await berth.provisioner.reap({ dryRun: true });
    expect(actions).toMatchObject([{ act: "remove sandbox", why: "expired 1m ago" }]);
    expect(await berth.leftovers()).toEqual(before);
  });

  it("finds nothing to do when all agrees", async () => {
    await berth.create("ann");
    expect(await berth.provisioner.reap({ dryRun: false })).toEqual({ dryRun: false, actions: [] });
  });

  it("removes containers, networks and disks that no record speaks of", async () => {
    const { id } = await berth.create("ann");
    await berth.records.remove(id);
    const { actions } = await berth.provisioner.reap({ dryRun: false });
    expect(actions[0]).toMatchObject({
      act: "remove leftovers of sandbox",
      thing: id,
      why: "container, disk without a record",
    });
    await berth.provisioner.reap({ dryRun: false });
    expect(await berth.leftovers()).toEqual([]);
  });

  it("makes a container anew that somebody removed by hand; the disk is the same", async () => {
    const { id } = await berth.create("ann");
    const disk = berth.host.disks.get(id);
    berth.host.containers.delete(id);
    const { actions } = await berth.provisioner.reap({ dryRun: false });
    expect(actions).toMatchObject([{ act: "start sandbox", why: "its container is gone" }]);
    expect(berth.host.containers.get(id)?.running).toBe(true);
    expect(berth.host.disks.get(id)).toBe(disk);
  });

  it("starts one anew that somebody took off its network", async () => {
    const { id } = await berth.create("ann");
    berth.host.disconnected.add(id);
    const { actions } = await berth.provisioner.reap({ dryRun: false });
    expect(actions).toMatchObject([{ why: "its container is on no network" }]);
    expect((await berth.provisioner.reap({ dryRun: false })).actions).toEqual([]);
  });

  it("goes on after one removal fails, and says which", async () => {
    const first = await berth.create("ann", { ttl: hour });
    const second = await berth.create("bob", { ttl: hour });
    berth.later(hour);
    berth.host.failAt("disks.remove");
    const { actions } = await berth.provisioner.reap({ dryRun: false });
    expect(actions.map(({ thing, error }) => [thing.slice(0, 8), error])).toEqual([
      [first.id, "disks.remove failed"],
      [second.id, "disks.remove failed"],
    ]);
  });

  it("leaves a sandbox alone that is being made", async () => {
    const hang = berth.host.hangAt("engine.start");
    const { record, ready } = await berth.provisioner.begin({ user: "ann" });
    await hang.reached;
    expect((await berth.provisioner.reap({ dryRun: false })).actions).toEqual([]);
    hang.release();
    await expect(ready).resolves.toMatchObject({ id: record.id, state: "ready" });
  });
});

describe("a reap whose plan has grown old", () => {
  it("leaves a sandbox that was extended while others were being removed", async () => {
    await Promise.all(["a", "b", "c", "d"].map((user) => berth.create(user, { ttl: hour })));
    const kept = await berth.create("ann", { ttl: hour });
    berth.later(hour);
    const hang = berth.host.hangAt("door.close");
    const reaping = berth.provisioner.reap({ dryRun: false });
    await hang.reached;
    await berth.provisioner.extend(kept.id, hour);
    hang.release();
    expect((await reaping).actions).toHaveLength(4);
    expect(berth.provisioner.list()).toMatchObject([{ id: kept.id, state: "ready" }]);
  });

  it("never takes a creation that has just been reserved for a broken one", async () => {
    for (let round = 0; round < 20; round++) {
      const made = berth.create(`user${round}`);
      const { actions } = await berth.provisioner.reap({ dryRun: false });
      expect(actions).toEqual([]);
      await expect(made).resolves.toMatchObject({ state: "ready" });
    }
  });
});

describe("a fault of the host while a sandbox is started again", () => {
  it("leaves it stopped, and the next reap starts it", async () => {
    const { id } = await berth.create("ann");
    berth.host.stopContainer(id);
    berth.host.failAt("engine.start", new BerthError("ENGINE_UNREACHABLE", "away"));
    const { actions } = await berth.provisioner.reap({ dryRun: false });
    expect(actions).toMatchObject([{ act: "start sandbox", error: "away" }]);
    expect(berth.provisioner.get(id)).toMatchObject({ state: "stopped", reason: "away" });
    berth.host.heal();
    await berth.provisioner.reap({ dryRun: false });
    expect(berth.provisioner.get(id).state).toBe("ready");
  });
});

describe("a sandbox that keeps failing to start", () => {
  it("is tried again, after longer and longer pauses", async () => {
    const { id } = await berth.create("ann");
    berth.host.stopContainer(id);
    berth.host.failAt("engine.waitReady");
    const tries = async () => (await berth.provisioner.reap({ dryRun: false })).actions.length;
    expect([await tries(), await tries(), await tries()]).toEqual([1, 1, 0]);
    berth.later(2_000);
    expect([await tries(), await tries()]).toEqual([1, 0]);
    berth.later(4_000);
    berth.host.heal();
    expect(await tries()).toBe(1);
    expect(berth.provisioner.get(id).state).toBe("ready");
  });
});

describe("removing a user", () => {
  it("is finished by reap when the daemon dies in the middle", async () => {
    await berth.create("ann", { name: "one" });
    await berth.create("ann", { name: "two" });
    const bobs = await berth.create("bob");
    await berth.provisioner.condemn("ann");
    await berth.restart();
    await berth.provisioner.start();
    expect(berth.provisioner.list().map(({ id }) => id)).toEqual([bobs.id]);
  });
});

describe("a sandbox whose container stops by itself", () => {
  it("is started again", async () => {
    const { id } = await berth.create("ann");
    const stop = berth.provisioner.keepAlive();
    const ready = new Promise<void>((resolve) => {
      const seen: string[] = [];
      berth.provisioner.events.onAny((_, { type, data }) => {
        if (type === "state") seen.push(data.state);
        if (seen.join() === "stopped,ready") resolve();
      });
    });
    berth.host.stopContainer(id);
    await ready;
    expect(berth.host.containers.get(id)?.running).toBe(true);
    stop();
  });

  it("is started again when the first try fails, without waiting for the next reap", async () => {
    const { id } = await berth.create("ann");
    const stop = berth.provisioner.keepAlive();
    berth.host.failAt("engine.start");
    const ready = new Promise<void>((resolve) => {
      berth.provisioner.events.onAny((_, { type, data }) => {
        if (type === "state" && data.state === "failed") berth.host.heal();
        if (type === "state" && data.state === "ready") resolve();
      });
    });
    berth.host.stopContainer(id);
    await ready;
    expect(berth.host.containers.get(id)?.running).toBe(true);
    stop();
  });
});

describe("extending", () => {
  it("adds the time to the end", async () => {
    const { id, expiresAt } = await berth.create("ann", { ttl: hour });
    const extended = await berth.provisioner.extend(id, 2 * hour);
    expect(Date.parse(extended.expiresAt) - Date.parse(expiresAt)).toBe(2 * hour);
    await berth.restart();
    expect(berth.provisioner.get(id).expiresAt).toBe(extended.expiresAt);
  });

  it("refuses more than the maximum from now", async () => {
    const { id } = await berth.create("ann", { ttl: hour });
    await expect(berth.provisioner.extend(id, 168 * hour)).rejects.toMatchObject({
      code: "TTL_TOO_LONG",
    });
  });
});
