import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { labelNames } from "../../../src/image/digest.js";
import { exerciseNames } from "../../../src/image/exercise-folder.js";
import { Exercises } from "../../../src/image/exercises.js";
import { Images } from "../../../src/image/images.js";
import { FakeDocker } from "./fake-docker.js";

const imagesDir = join(import.meta.dirname, "../../../images");
const base = "debian-local:trixie";
const scratch = await mkdtemp(join(tmpdir(), "berth-unit-exercises-"));
afterAll(() => rm(scratch, { recursive: true }));

let docker: FakeDocker;
beforeEach(() => {
  docker = new FakeDocker();
});
const options = (dir = imagesDir) => ({
  docker: docker.asDocker(),
  imagesDir: dir,
  log: pino({ level: "silent" }),
  base,
});
const exercises = (dir?: string) => new Exercises(options(dir));

describe("building an exercise", () => {
  it("makes an image with a tag by its inputs and a plain name, then has nothing to do", async () => {
    const built = await exercises().build("shell");
    expect(built).toMatchObject({ name: "shell", built: true, sizeBytes: 1000 });
    expect(built.tag).toMatch(/^berth\/exercise-shell:[0-9a-f]{12}$/);
    expect(built.references).toEqual([built.tag, "berth/exercise-shell:latest"]);
    expect(docker.builds).toMatchObject([{ buildargs: { BASE: base }, t: built.tag }]);
    expect(docker.images).toMatchObject([
      { RepoTags: built.references, Labels: { [labelNames.image]: "exercise-shell" } },
    ]);

    expect(await exercises().build("shell")).toMatchObject({ tag: built.tag, built: false });
    expect(docker.builds).toHaveLength(1);
  });

  it("is not done again for what the learner reads, but for what is in the image", async () => {
    const { tag } = await exercises().build("shell");
    await cp(imagesDir, scratch, { recursive: true });
    await writeFile(join(scratch, "exercises/shell/README.md"), "# Another text\n");
    await writeFile(join(scratch, "exercises/shell/solution"), "#!/bin/sh\n");
    expect((await exercises(scratch).build("shell")).tag).toBe(tag);
    await writeFile(join(scratch, "exercises/shell/harbour.csv"), "ship\n");
    expect((await exercises(scratch).build("shell")).tag).not.toBe(tag);
  });

  it("takes the files of all into the toolbox, texts included", async () => {
    const { tag } = await exercises().build("toolbox");
    await cp(imagesDir, scratch, { recursive: true });
    await writeFile(join(scratch, "exercises/shell/README.md"), "# Another text\n");
    expect((await exercises(scratch).build("toolbox")).tag).not.toBe(tag);
  });

  it("refuses a name that is none, and says which there are", async () => {
    await expect(exercises().build("base")).rejects.toMatchObject({
      code: "INVALID_REQUEST",
      message: expect.stringContaining("image-building") as string,
    });
    expect(docker.builds).toEqual([]);
  });

  it("names every image there is, and the toolbox that holds their files", async () => {
    const folders = await exerciseNames(join(imagesDir, "exercises"));
    expect(await exercises().names()).toEqual([...folders, "toolbox"]);
  });

  it("shows by its digest in the list, and goes with both names when removed", async () => {
    const { tag } = await exercises().build("shell");
    const images = new Images(options());
    expect(await images.list()).toMatchObject([{ tag, current: false }]);
    await images.remove(tag);
    expect(docker.images).toEqual([]);
  });
});

describe("the exercises", async () => {
  const names = await exerciseNames(join(imagesDir, "exercises"));

  it.each(names)(
    "%s has image, compose file, text and solution that fit together",
    async (name) => {
      const read = (file: string) => readFile(join(imagesDir, "exercises", name, file), "utf8");
      expect(await read("Dockerfile")).toMatch(/^ARG BASE=\S+\nFROM \$\{BASE\}$/m);
      expect(await read("README.md")).toMatch(/^# .*\n(.*\n)*## Tasks\n/);
      expect(await read("solution")).toMatch(/^#!\/bin\/bash\n/);
      const compose = parse(await read("compose.yaml")) as {
        name: string;
        services: Record<string, { image: string }>;
      };
      expect(compose.name).toBe(name);
      const images = Object.values(compose.services).map(({ image }) => image);
      expect(images).toContain(`berth/exercise-${name}`);
    },
  );
});
