import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { removeData, removeRunDir } from "../../src/own-files.js";

let dir: string;
beforeEach(async () => {
  dir = join(await mkdtemp(join(tmpdir(), "berth-own-")), "data");
  for (const folder of ["sandboxes", "users", "preloads", "builds"])
    await mkdir(join(dir, folder), { recursive: true });
  for (const file of [
    ...["lock", "installation-id", "ca-key.pem", "ca-key.pem.0123456789ab.tmp", "session-key"],
    ...["ended-sessions.json", "last-seen.json", "last-seen.json.123456", "https.pem"],
    ...["users/ann.json", "users/ann.json.123456", "preloads/lock", "builds/17.json"],
    ...["preloads/0123456789ab.erofs", "preloads/0123456789ab.erofs.partial"],
  ])
    await writeFile(join(dir, file), "");
});
afterEach(() => rm(join(dir, ".."), { recursive: true }));

it("leaves nothing of Berth's data, and not their directory either", async () => {
  expect(await removeData(dir)).toEqual([]);
  expect(await readdir(join(dir, ".."))).toEqual([]);
  // Once more, as after a kill in the middle.
  expect(await removeData(dir)).toEqual([]);
});

it("keeps what is not Berth's, and says what that is", async () => {
  await writeFile(join(dir, "notes.txt"), "mine");
  await mkdir(join(dir, "backup"));
  expect((await removeData(dir)).sort()).toEqual(["backup", "notes.txt"]);
  expect((await readdir(dir)).sort()).toEqual(["backup", "notes.txt"]);
});

it("removes nothing by the name of the directory that it is in", async () => {
  await writeFile(join(dir, "builds", "app.tar"), "mine");
  await writeFile(join(dir, "users", "README"), "mine");
  await mkdir(join(dir, "users", "old.json"));
  await mkdir(join(dir, "preloads", "0123456789ab.erofs.d"));
  const stays = ["builds/app.tar", "preloads/0123456789ab.erofs.d", "users/README"];
  expect(await removeData(dir)).toEqual([...stays, "users/old.json"]);
  expect((await readdir(dir)).sort()).toEqual(["builds", "preloads", "users"]);
});

it("walks into no sandbox's directory that is left", async () => {
  await mkdir(join(dir, "sandboxes", "k3x9f2ab"));
  await writeFile(join(dir, "sandboxes", "k3x9f2ab", "disk.img"), "");
  expect(await removeData(dir)).toEqual(["sandboxes/k3x9f2ab"]);
  expect(await readdir(join(dir, "sandboxes", "k3x9f2ab"))).toEqual(["disk.img"]);
});

it("leaves nothing of the directory of the socket, but what is not Berth's", async () => {
  const run = join(dir, "run");
  await mkdir(run);
  await writeFile(join(run, "berth.sock"), "");
  await removeRunDir(run);
  expect(await readdir(dir)).not.toContain("run");
  await removeRunDir(run);
  await mkdir(run);
  await writeFile(join(run, "other.sock"), "");
  await removeRunDir(run);
  expect(await readdir(run)).toEqual(["other.sock"]);
});
