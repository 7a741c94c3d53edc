import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TestBerth } from "../../fakes/berth.js";

let berth: TestBerth;
beforeEach(async () => {
  berth = await TestBerth.start({
    allowPrivileged: true,
    profiles: { trusted: { isolation: "privileged" }, loaded: { images: ["alpine:3"] } },
  });
});
afterEach(async () => {
  await berth.stop();
});

const clear = (options: { purge?: boolean; dryRun?: boolean } = {}) =>
  berth.provisioner.clearHost({ purge: false, dryRun: false, ...options });

/** What a host has of a Berth besides sandboxes. */
const shared = () => {
  const { bridge, wall, imageBuilt, preload, routes } = berth.host;
  return { bridge, wall, imageBuilt, preload, routes: routes.size };
};
const nothing = { bridge: false, wall: false, imageBuilt: false, preload: undefined, routes: 0 };

describe("clearing the host", () => {
  it("is refused while there are sandboxes, by name, and touches nothing", async () => {
    const { id } = await berth.create("ann", { name: "lab" });
    const before = [await berth.leftovers(), shared()];
    await expect(clear()).rejects.toMatchObject({
      code: "SANDBOX_EXISTS",
      message: expect.stringMatching(new RegExp(`ann/lab \\(${id}\\).*--purge`)) as string,
    });
    await expect(clear({ dryRun: true })).rejects.toMatchObject({ code: "SANDBOX_EXISTS" });
    expect([await berth.leftovers(), shared()]).toEqual(before);
  });

  it("counts a sandbox whose record cannot be read", async () => {
    const { id } = await berth.create("ann");
    await writeFile(join(berth.dir, id, "sandbox.json"), "{ damaged");
    await berth.restart();
    await expect(clear()).rejects.toThrow(`${id} (its record cannot be read)`);
  });

  it("leaves no rule, network or mount, and keeps images, when there is no sandbox", async () => {
    const { id } = await berth.create("ann", { profile: "loaded" });
    await berth.provisioner.remove(id);
    const { imageBuilt, preload } = shared();
    const { actions } = await clear();
    expect(actions.filter(({ error }) => error !== undefined)).toEqual([]);
    expect(shared()).toEqual({ ...nothing, imageBuilt, preload });
    expect(await berth.leftovers()).toEqual([]);
  });

  it("removes what has no record, without a purge as well", async () => {
    const { id } = await berth.create("ann");
    await berth.records.remove(id);
    const { actions } = await clear();
    expect(actions[0]).toEqual({ act: "remove sandbox", thing: id, why: "it has no record" });
    expect(actions[1]).toMatchObject({ act: "stop slice", thing: "berth-ann.slice" });
    expect(await berth.leftovers()).toEqual([]);
  });
});

describe("a purge", () => {
  it("leaves nothing, whatever state sandboxes are in", async () => {
    const broken = await berth.create("ann");
    await berth.create("ann", { name: "second" });
    await berth.create("bob", { profile: "trusted" });
    await berth.create("cat", { profile: "loaded" });
    await writeFile(join(berth.dir, broken.id, "sandbox.json"), "{ damaged");
    await berth.restart();
    berth.host.stopContainer(broken.id);
    const { actions } = await clear({ purge: true });
    expect(actions.filter(({ error }) => error !== undefined)).toEqual([]);
    expect(await berth.leftovers()).toEqual([]);
    expect(shared()).toEqual(nothing);
  });

  it("says on a dry run what it would do, and does nothing", async () => {
    const { id } = await berth.create("ann");
    const before = [await berth.leftovers(), shared()];
    const { dryRun, actions } = await clear({ purge: true, dryRun: true });
    expect(dryRun).toBe(true);
    expect(actions.map(({ thing }) => thing)).toEqual([
      `${id} (ann/default)`,
      "preloads",
      "directory of disks",
      "network of sandboxes",
      "forwarding of ports",
      "wall before the host",
      "image berth/dind:0123456789ab",
    ]);
    expect([await berth.leftovers(), shared()]).toEqual(before);
  });

  it("keeps the walls up while a sandbox cannot be removed, and finishes when it can", async () => {
    await berth.create("ann");
    const bob = await berth.create("bob");
    const before = shared();
    berth.host.failOnceAt("disks.remove", new Error("still in use"));
    const { actions } = await clear({ purge: true });
    expect(actions.filter(({ error }) => error !== undefined)).toHaveLength(1);
    expect(shared()).toEqual({ ...before, routes: 0 });
    berth.host.heal();
    await clear({ purge: true });
    expect(await berth.leftovers()).toEqual([]);
    expect(shared()).toEqual(nothing);
    expect(berth.records.get(bob.id)).toBeUndefined();
  });

  it("goes on after one of the shared things cannot be removed, and says which", async () => {
    berth.host.failAt("engine.removeBridge");
    const { actions } = await clear({ purge: true });
    const failed = actions.filter(({ error }) => error !== undefined);
    expect(failed.map(({ thing }) => thing)).toEqual(["network of sandboxes"]);
    expect(shared()).toMatchObject({ wall: false, imageBuilt: false });
  });

  const calls = [
    ...["door.close", "engine.remove", "disks.remove", "slices.release", "preloads.withdraw"],
    ...["disks.withdraw", "engine.removeBridge", "door.uninstall", "isolation.takeWallDown"],
    "images.removeAll",
  ];
  for (const when of ["before", "after"] as const) {
    it.each(calls)(`that is killed ${when} %s is finished by the next`, async (call) => {
      await berth.create("ann");
      await berth.create("bob", { profile: "trusted" });
      berth.host.killAt(call, when);
      await clear({ purge: true }).catch(() => undefined);
      expect(berth.host.isKilled).toBe(true);
      await berth.restart();
      const { actions } = await clear({ purge: true });
      expect(actions.filter(({ error }) => error !== undefined)).toEqual([]);
      expect(await berth.leftovers()).toEqual([]);
      expect(shared()).toEqual(nothing);
    });
  }
});
