import { mkdir, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { lockDataDirectory } from "../../../../src/lib/lock.js";
import { FakeHost, tarOf } from "./fake-host.js";

let host: FakeHost;
beforeEach(async () => {
  host = await FakeHost.start();
});
afterEach(() => host.stop());

const images = ["alpine:3"];
const profile = { name: "lab", images };
const [first, second, third] = ["0123456789ab", "ba9876543210", "aaaaaaaaaaaa"];
const nobody = () => false;

describe("the image of a profile with a preload", () => {
  it("is the newest for its list, of today's dind image", async () => {
    host.addCarrier(first, images, { created: 1 });
    host.addCarrier(second, images, { created: 2 });
    host.addCarrier(third, images, { created: 3, ofRecipe: "of-yesterday" });
    const preloads = host.preloads([profile]);
    expect(await preloads.require(profile)).toEqual({
      image: `berth/dind:${second}`,
      preload: second,
    });
    expect(await preloads.currentTags()).toEqual(new Set([`berth/dind:${second}`]));
  });

  it("is missing by the command that makes it", async () => {
    host.addCarrier(first, ["other:1"]);
    await expect(host.preloads([profile]).require(profile)).rejects.toMatchObject({
      code: "IMAGE_MISSING",
      message: expect.stringContaining("`berth image build lab`") as string,
    });
  });
});

describe("a store", () => {
  const mountPoint = (preload: string) => join(host.dir, "run", "preloads", preload);

  it("is unpacked and mounted once for two that need it at once", async () => {
    host.addCarrier(first, images);
    const preloads = host.preloads([profile]);
    const both = await Promise.all([preloads.mount(first), preloads.mount(first)]);
    expect(both).toEqual([mountPoint(first), mountPoint(first)]);
    expect(await host.mounts()).toEqual([mountPoint(first)]);
    expect(await readFile(join(host.dir, "preloads", `${first}.erofs`), "utf8")).toBe("store");
    expect(await host.files()).toEqual([`${first}.erofs`]);
    expect(host.containers.size).toBe(0);
    const mount = host.ran.find((line) => line.includes("erofs"));
    expect(mount).toContain("-o loop,ro,nodev");
  });

  it.each([
    ["is cut off", undefined, "ENGINE_FAILED"],
    ["is a directory", () => tarOf("directory"), "IMAGE_MISSING"],
  ])("leaves nothing when what the image has in its place %s", async (_, archive, code) => {
    host.archive = archive;
    await expect(host.preloads([profile]).mount(first)).rejects.toMatchObject({ code });
    expect(await host.files()).toEqual([]);
    expect(await host.mounts()).toEqual([]);
    expect(host.containers.size).toBe(0);
  });

  it("is whole after an unpacking that was killed, and of that nothing is left", async () => {
    const killed = async () => {
      await host.addStore(first);
      const file = join(host.dir, "preloads", `${first}.erofs`);
      await rename(file, `${file}.partial`);
      host.containers.add("berth-0123abcd-unpack");
    };
    await killed();
    const preloads = host.preloads([profile]);
    await preloads.mount(first);
    expect(await host.files()).toEqual([`${first}.erofs`]);
    await killed();
    await preloads.collect((one) => one === first, { dryRun: false });
    expect(await host.files()).toEqual([]);
    expect(host.containers.size).toBe(0);
  });

  it("goes when nobody uses it, and one that is busy keeps no other from going", async () => {
    host.addCarrier(third, images);
    await host.addStore(first, second, third);
    const preloads = host.preloads([profile]);
    for (const preload of [first, second, third]) await preloads.mount(preload);
    host.busy.add(mountPoint(first));
    const collected = await preloads.collect(nobody, { dryRun: false });
    expect(collected.toSorted((a, b) => a.thing.localeCompare(b.thing))).toEqual([
      { thing: `preload ${first}`, why: "no sandbox uses it", error: "target is busy" },
      { thing: `preload ${second}`, why: "no sandbox uses it" },
    ]);
    expect(await host.files()).toEqual([`${third}.erofs`]);
    expect(await host.mounts()).toEqual([mountPoint(first), mountPoint(third)]);
    host.busy.clear();
    await preloads.collect(nobody, { dryRun: false });
    expect(await host.mounts()).toEqual([mountPoint(third)]);
  });

  it("stays while a sandbox is on record with it, and on a dry run", async () => {
    await host.addStore(first, second);
    const preloads = host.preloads([profile]);
    const isUsed = (preload: string) => preload === first;
    for (const dryRun of [true, false]) {
      expect(await preloads.collect(isUsed, { dryRun })).toEqual([
        { thing: `preload ${second}`, why: "no sandbox uses it" },
      ]);
      expect(await host.files()).toEqual(
        dryRun ? [`${first}.erofs`, `${second}.erofs`].sort() : [`${first}.erofs`],
      );
    }
  });
});

describe("images that were built again", () => {
  const tags = () => host.docker.images.flatMap(({ RepoTags }) => RepoTags).sort();

  it("go, unless a sandbox is on record with one or a container made from it", async () => {
    host.addCarrier(first, images, { created: 1 });
    host.docker.containers.push(host.addCarrier(second, images, { created: 2 }));
    host.addCarrier(third, images, { created: 3 });
    const preloads = host.preloads([profile]);
    expect(await preloads.collect((one) => one === first, { dryRun: false })).toEqual([]);
    const gone = [{ thing: `image berth/dind:${first}`, why: "a newer build replaced it" }];
    expect(await preloads.collect(nobody, { dryRun: true })).toEqual(gone);
    expect(tags()).toHaveLength(3);
    expect(await preloads.collect(nobody, { dryRun: false })).toEqual(gone);
    expect(tags()).toEqual([`berth/dind:${third}`, `berth/dind:${second}`].sort());
  });

  it("stay when the newer one is of another version of Berth", async () => {
    host.addCarrier(first, images, { created: 1 });
    host.addCarrier(second, images, { created: 2, ofRecipe: "of-tomorrow" });
    expect(await host.preloads([profile]).collect(nobody, { dryRun: false })).toEqual([]);
    expect(tags()).toHaveLength(2);
  });
});

describe("a build", () => {
  const broken = { thing: "build of a preload", why: "it was broken off" };
  beforeEach(async () => {
    await mkdir(join(host.dir, "preloads", "building"), { recursive: true });
    host.containers.add("berth-0123abcd-build").add("of-somebody-else");
  });

  it("that was killed is cleared up, and on a dry run told", async () => {
    const preloads = host.preloads([profile]);
    expect(await preloads.collect(nobody, { dryRun: true })).toEqual([broken]);
    expect(host.containers.size).toBe(2);
    expect(await preloads.collect(nobody, { dryRun: false })).toEqual([broken]);
    expect([...host.containers]).toEqual(["of-somebody-else"]);
    expect(await host.files()).toEqual([]);
  });

  it("that is under way is left alone", async () => {
    const lock = await lockDataDirectory(join(host.dir, "preloads"));
    for (const dryRun of [true, false])
      expect(await host.preloads([profile]).collect(nobody, { dryRun })).toEqual([]);
    expect(host.containers.size).toBe(2);
    await lock.release();
  });
});

describe("withdrawing", () => {
  it("leaves no mount, and keeps the files, from which they are mounted again", async () => {
    await host.addStore(first, second);
    const preloads = host.preloads([profile]);
    await preloads.mount(first);
    await preloads.withdraw({ keepFiles: true });
    expect(await host.mounts()).toEqual([]);
    expect(host.ran.at(-1)).toBe(`umount ${join(host.dir, "run", "preloads")}`);
    expect(await host.files()).toEqual([`${first}.erofs`, `${second}.erofs`]);
    expect(await preloads.mount(first)).toBe(join(host.dir, "run", "preloads", first));
  });

  it("leaves no file either, on request", async () => {
    await host.addStore(first, second);
    const preloads = host.preloads([profile]);
    await preloads.mount(first);
    await preloads.withdraw({ keepFiles: false });
    expect([await host.mounts(), await host.files()]).toEqual([[], []]);
    await preloads.withdraw({ keepFiles: false });
  });

  it("is refused while something is built", async () => {
    await mkdir(join(host.dir, "preloads"), { recursive: true });
    const lock = await lockDataDirectory(join(host.dir, "preloads"));
    const preloads = host.preloads([profile]);
    await expect(preloads.withdraw({ keepFiles: false })).rejects.toMatchObject({
      code: "ALREADY_RUNNING",
    });
    await lock.release();
  });
});
