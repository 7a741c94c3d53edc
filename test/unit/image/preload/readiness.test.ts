import { join } from "node:path";
import { pino } from "pino";
import { beforeEach, expect, it } from "vitest";
import { labelNames } from "../../../../src/image/digest.js";
import { Images } from "../../../../src/image/images.js";
import { preloadLabels, wantedOf } from "../../../../src/image/preload/identity.js";
import { tagOfPreload } from "../../../../src/image/preload/places.js";
import { Preloads, type PreloadsOptions } from "../../../../src/image/preload/preloads.js";
import { FakeDocker } from "../fake-docker.js";

const log = pino({ level: "silent" });
const db = { name: "db", images: ["postgres:17", "redis:8"] };
const shell = { name: "shell", images: ["shell"] };
const profiles = [{ name: "default", images: [] }, db, shell, { ...shell, name: "same" }];

let docker: FakeDocker;
let images: Images;
let preloads: Preloads;
beforeEach(() => {
  docker = new FakeDocker();
  const imagesDir = join(import.meta.dirname, "../../../../images");
  images = new Images({ docker: docker.asDocker(), imagesDir, log });
  preloads = new Preloads({
    docker: docker.asDocker() as PreloadsOptions["docker"],
    images,
    profiles,
    dataDir: "/nowhere",
    runDir: "/nowhere",
    mark: "test",
    log,
  });
});

const add = (preload: string, wanted: string[], recipe: string, created: number) =>
  docker.add(
    tagOfPreload(preload),
    {
      [labelNames.recipe]: recipe,
      [preloadLabels.preload]: preload,
      [preloadLabels.wanted]: wantedOf(wanted),
    },
    created,
  );

it("says which profiles have no image yet, and which images those that have one start from", async () => {
  expect(await preloads.unbuilt()).toEqual(["db", "shell", "same"]);
  const recipe = await images.recipe();
  add("aaaaaaaaaaaa", ["redis:8", "postgres:17"], recipe, 1);
  add("bbbbbbbbbbbb", db.images, recipe, 2);
  add("cccccccccccc", shell.images, "of before", 3);
  expect(await preloads.unbuilt()).toEqual(["shell", "same"]);
  expect(await preloads.currentTags()).toEqual(new Set([tagOfPreload("bbbbbbbbbbbb")]));
  expect(await preloads.require(db)).toMatchObject({ preload: "bbbbbbbbbbbb" });
  add("dddddddddddd", shell.images, recipe, 4);
  expect(await preloads.unbuilt()).toEqual([]);
  await expect(preloads.require({ name: "x", images: ["x"] })).rejects.toMatchObject({
    code: "IMAGE_MISSING",
  });
});
