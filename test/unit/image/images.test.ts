import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { labelNames } from "../../../src/image/digest.js";
import { Images } from "../../../src/image/images.js";
import type { BuildProgress } from "../../../src/image/progress.js";
import { readRecipe } from "../../../src/image/recipe.js";
import { FakeDocker } from "./fake-docker.js";

const imagesDir = join(import.meta.dirname, "../../../images");
const base = "debian-local:trixie";
const scratch = await mkdtemp(join(tmpdir(), "berth-unit-image-"));
afterAll(() => rm(scratch, { recursive: true }));

let docker: FakeDocker;
beforeEach(() => {
  docker = new FakeDocker();
});
const imagesWith = (options: { base?: string; imagesDir?: string; installation?: string } = {}) =>
  new Images({ docker: docker.asDocker(), imagesDir, log: pino({ level: "silent" }), ...options });

describe("building on a base", () => {
  it("gives the engine the recipe and keeps the labels, then has nothing to do", async () => {
    const images = imagesWith({ base });
    const progress: BuildProgress[] = [];
    const built = await images.build({ onProgress: (step) => progress.push(step) });
    expect(built).toMatchObject({ tag: await images.tag(), built: true, sizeBytes: 1000 });
    expect(docker.builds[0]).toMatchObject({ buildargs: { BASE: base }, version: "1" });
    expect(docker.images[0]?.Labels).toMatchObject({ [labelNames.image]: "dind" });
    expect(progress.map((step) => step.message)).toEqual([
      `building on ${base}`,
      "Step 1",
      "Step 2",
    ]);

    expect(await images.build()).toMatchObject({ tag: built.tag, built: false });
    expect(docker.builds).toHaveLength(1);
  });

  it("builds again when asked, and leaves no image of before", async () => {
    const images = imagesWith({ base });
    await images.build();
    await images.build({ rebuild: true });
    expect(docker.images.map((image) => image.RepoTags)).toEqual([[await images.tag()]]);
  });

  it("keeps the image of before while a container was made from it", async () => {
    const images = imagesWith({ base });
    await images.build();
    docker.containers.push(docker.images[0]?.Id ?? "");
    await images.build({ rebuild: true });
    expect((await images.list()).map(({ tag, inUse }) => [tag, inUse])).toEqual([
      ["", true],
      [await images.tag(), false],
    ]);
  });

  it("fails with what the engine says, and leaves no image", async () => {
    docker.failure = "pull access denied";
    await expect(imagesWith({ base }).build()).rejects.toMatchObject({
      code: "IMAGE_BUILD_FAILED",
      message: expect.stringContaining("pull access denied") as string,
    });
    expect(docker.images).toEqual([]);
  });
});

describe("the image that sandboxes start from", () => {
  it("is refused with the way out while there is none", async () => {
    await expect(imagesWith().require()).rejects.toMatchObject({
      code: "IMAGE_MISSING",
      message: expect.stringContaining("berth image build") as string,
    });
  });

  it("is the same recipe on another base when that is what was built", async () => {
    const { tag } = await imagesWith().build({ base });
    expect(await imagesWith().require()).toBe(tag);
    expect(await imagesWith().list()).toMatchObject([{ tag, current: true }]);
  });

  it("is no longer current once the recipe has changed", async () => {
    const { tag } = await imagesWith({ base }).build();
    await cp(imagesDir, scratch, { recursive: true });
    await writeFile(join(scratch, "dind/daemon.json"), "{}");
    const changed = imagesWith({ base, imagesDir: scratch });
    await expect(changed.require()).rejects.toMatchObject({ code: "IMAGE_MISSING" });
    expect(await changed.list()).toMatchObject([{ tag, current: false }]);
  });

  it("cannot be looked for while the engine is down", async () => {
    docker.down = Object.assign(new Error("connect ENOENT"), { code: "ENOENT" });
    await expect(imagesWith().require()).rejects.toMatchObject({ code: "ENGINE_UNREACHABLE" });
  });
});

describe("removing an image", () => {
  it("removes one that nothing uses", async () => {
    const { tag } = await imagesWith({ base }).build();
    await imagesWith().remove(tag);
    expect(docker.images).toEqual([]);
  });

  it.each([
    ["is in use", { [labelNames.image]: "dind" }, true, "IMAGE_IN_USE"],
    ["is not Berth's", { other: "label" }, false, "INVALID_REQUEST"],
    ["has no labels", null, false, "INVALID_REQUEST"],
  ])("refuses one that %s", async (_, labels, used, code) => {
    const id = docker.add("some:image", labels);
    if (used) docker.containers.push(id);
    await expect(imagesWith().remove("some:image")).rejects.toMatchObject({ code });
    expect(docker.images).toHaveLength(1);
  });

  it("says so when there is none", async () => {
    await expect(imagesWith().remove("no:such")).rejects.toMatchObject({ code: "IMAGE_MISSING" });
  });
});

describe("removing all images", () => {
  const dind = "berth/dind:0123456789ab";
  const shell = "berth/exercise-shell:0123456789ab";
  const dindLabel = { [labelNames.image]: "dind" };
  const tags = () => docker.images.flatMap(({ RepoTags }) => RepoTags);

  it("removes Berth's and no other, but one that a container is of", async () => {
    docker.add("debian:trixie", null);
    docker.add(shell, { [labelNames.image]: "exercise-shell" }, 3);
    await docker.asDocker().getImage(shell).tag({ repo: "berth/exercise-shell", tag: "latest" });
    const used = docker.add(dind, dindLabel, 2);
    docker.containers = [used];
    const before = docker.images.length;
    const wouldGo = await imagesWith().removeAll({ dryRun: true });
    expect(docker.images).toHaveLength(before);
    const gone = await imagesWith().removeAll({ dryRun: false });
    expect(wouldGo.map(({ thing }) => thing)).toEqual(gone.map(({ thing }) => thing));
    expect(gone).toMatchObject([
      { thing: `image ${shell}` },
      { thing: "image berth/exercise-shell:latest" },
      { thing: `image ${dind}`, error: expect.stringContaining("in use") as string },
    ]);
    expect(tags()).toEqual(["debian:trixie", dind]);
  });

  it("leaves what others made of Berth's, under any name that is no Berth's, and says so", async () => {
    docker.add(dind, dindLabel, 1);
    docker.add("lab/dind:mine", dindLabel, 2);
    docker.add("berth/dind:mine", dindLabel, 3);
    const nameless = docker.add("x:y", dindLabel, 4);
    docker.add("x:y", null);
    await docker.asDocker().getImage(dind).tag({ repo: "lab/kept", tag: "1" });
    const gone = await imagesWith().removeAll({ dryRun: false });
    expect(gone.map(({ act = "remove", thing }) => `${act} ${thing}`)).toEqual([
      `remove image ${dind}`,
      `leave image ${nameless}`,
      "leave image berth/dind:mine",
      "leave image lab/dind:mine",
      "leave image lab/kept:1",
    ]);
    expect(tags().sort()).toEqual(["berth/dind:mine", "lab/dind:mine", "lab/kept:1", "x:y"]);
  });

  it("removes none while another Berth has sandboxes on the engine", async () => {
    docker.add(dind, dindLabel);
    docker.strangers = ["feedfeedfeedfeed"];
    expect(await imagesWith().removeAll({ dryRun: false })).toMatchObject([
      { act: "leave", why: expect.stringContaining("another Berth") as string },
    ]);
    expect(tags()).toEqual([dind]);
    const installation = "feedfeedfeedfeed";
    await imagesWith({ installation }).removeAll({ dryRun: false });
    expect(tags()).toEqual([]);
  });
});

describe("the recipe in images/dind", () => {
  it("says in the Dockerfile what it says itself", async () => {
    const { recipe } = await readRecipe(join(imagesDir, "dind"));
    const dockerfile = await readFile(join(imagesDir, "dind/Dockerfile"), "utf8");
    const instruction = (name: string) => new RegExp(`^${name} (.*)$`, "m").exec(dockerfile)?.[1];
    expect(JSON.parse(instruction("ENTRYPOINT") ?? "")).toEqual(recipe.entrypoint);
    expect(instruction("STOPSIGNAL")).toBe(recipe.stopSignal);
  });

  it("is refused by name when it is broken", async () => {
    const dir = await mkdtemp(join(scratch, "broken-"));
    await writeFile(join(dir, "recipe.json"), '{"suite":"trixie","colour":"red"}');
    await expect(readRecipe(dir)).rejects.toMatchObject({
      code: "IMAGE_BUILD_FAILED",
      message: expect.stringContaining("colour") as string,
    });
  });
});
