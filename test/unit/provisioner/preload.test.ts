import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TestBerth } from "../../fakes/berth.js";

let berth: TestBerth;
beforeEach(async () => {
  berth = await TestBerth.start({ profiles: { default: { images: ["alpine:3"] } } });
});
afterEach(async () => {
  await berth.stop();
});

const first = "0123456789ab";
const second = "ba9876543210";

describe("a sandbox of a profile with images", () => {
  it("is made of the image that carries them, and sees their store", async () => {
    const record = await berth.create("ann");
    expect(record).toMatchObject({ image: `berth/dind:${first}`, preload: first });
    expect(berth.host.containerOf(record.id).launch.preloadDir).toBe(
      `/run/berth/preloads/${first}`,
    );
  });

  it("is refused while the profile's preload has not been built", async () => {
    berth.host.preload = undefined;
    await expect(berth.create("ann")).rejects.toMatchObject({ code: "IMAGE_MISSING" });
    expect(await berth.leftovers()).toEqual([]);
  });

  it("keeps its store through a new build and a reboot; reap removes it after the last", async () => {
    const ann = await berth.create("ann");
    berth.host.preload = second;
    const bob = await berth.create("bob");
    expect(bob.preload).toBe(second);
    await berth.provisioner.reap({ dryRun: false });
    expect(berth.host.preloads).toEqual(new Set([first, second]));

    berth.host.reboot();
    await berth.restart();
    await berth.provisioner.start();
    expect(berth.host.preloads).toEqual(new Set([first, second]));
    expect(berth.provisioner.get(ann.id)).toMatchObject({ state: "ready", preload: first });

    await berth.provisioner.remove(ann.id);
    const dry = await berth.provisioner.reap({ dryRun: true });
    expect(dry.actions).toEqual([{ act: "remove", thing: `preload ${first}`, why: "unused" }]);
    expect(berth.host.preloads).toContain(first);
    await berth.provisioner.reap({ dryRun: false });
    expect(berth.host.preloads).toEqual(new Set([second]));
  });

  it("says of a reap that could not remove stores why, and repairs all else", async () => {
    berth.host.failAt("preloads.collect");
    const { actions } = await berth.provisioner.reap({ dryRun: false });
    expect(actions).toMatchObject([{ error: "preloads.collect failed" }]);
  });
});
