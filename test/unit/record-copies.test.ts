import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { keepRecords, putRecordsBack } from "../../src/record-copies.js";

let data: string;
let copies: string;
beforeEach(async () => {
  const dir = await mkdtemp(join(tmpdir(), "berth-copies-"));
  [data, copies] = [join(dir, "data"), join(dir, "copies")];
  await mkdir(data);
});
afterEach(() => rm(dirname(data), { recursive: true }));

const createdAt = "2026-01-01T12:00:00.000Z";
const ann = "users/ann.json";
const box = "sandboxes/k3x9f2ab/sandbox.json";

async function write(file: string, record: object, dir = data): Promise<void> {
  await mkdir(dirname(join(dir, file)), { recursive: true });
  await writeFile(join(dir, file), JSON.stringify({ createdAt, ...record }));
}
const read = async (file: string) =>
  JSON.parse(await readFile(join(data, file), "utf8")) as Record<string, unknown>;

it("puts back what was written in another version since, and nothing else", async () => {
  await write(ann, { version: 1, role: "user" });
  await write(box, { version: 2, state: "ready" });
  await write("users/bob.json", { role: "user" });
  await keepRecords(data, copies);
  await write(ann, { version: 2, role: "user", colour: "red" });
  // The latest word, which the version before can read.
  await write(box, { version: 2, state: "stopped" });
  // Of version 0, which no record says.
  await write("users/bob.json", { version: 1, role: "admin" });
  const { restored, unknown } = await putRecordsBack(data, copies);
  expect(restored.sort()).toEqual([ann, "users/bob.json"]);
  expect(unknown).toEqual([]);
  expect(await read(ann)).toEqual({ createdAt, version: 1, role: "user" });
  expect(await read(box)).toMatchObject({ state: "stopped" });
  expect(await read("users/bob.json")).toEqual({ createdAt, role: "user" });
});

it("brings back nobody and nothing that was removed, nor a token of before under a name of now", async () => {
  await write(ann, { version: 1, token: "old" });
  await write("users/bob.json", { version: 1 });
  await write(box, { version: 1 });
  await keepRecords(data, copies);
  await write(ann, { version: 2, token: "new", createdAt: "2026-02-02T12:00:00.000Z" });
  await rm(join(data, "users/bob.json"));
  await rm(join(data, "sandboxes/k3x9f2ab"), { recursive: true });
  await write("users/cat.json", { version: 2 });
  const { restored, unknown } = await putRecordsBack(data, copies);
  expect(restored).toEqual([]);
  expect(unknown.sort()).toEqual([ann, "users/cat.json"]);
  expect(await read(ann)).toMatchObject({ token: "new" });
  expect((await readdir(join(data, "users"))).sort()).toEqual(["ann.json", "cat.json"]);
  expect(await readdir(join(data, "sandboxes"))).toEqual([]);
});

it("keeps, over a run that was killed, what the version to go back to has written", async () => {
  await write(ann, { version: 1 });
  await write(box, { version: 1, state: "ready" });
  await keepRecords(data, copies);
  await write(ann, { version: 2 });
  await write(box, { version: 1, state: "stopped" });
  // As a kill in the middle of it leaves one.
  await writeFile(join(copies, box), "");
  await keepRecords(data, copies);
  await write(box, { version: 2, state: "stopped" });
  await putRecordsBack(data, copies);
  expect(await read(ann)).toEqual({ createdAt, version: 1 });
  expect(await read(box)).toEqual({ createdAt, version: 1, state: "stopped" });
});

it("makes copies that only root reads, also where no data is, and puts back with the same modes", async () => {
  await keepRecords(join(data, "none"), copies);
  expect(await readdir(copies)).toEqual([]);
  await write(ann, { version: 1 });
  await writeFile(join(data, "users", "notes.txt"), "");
  await write("sandboxes/lost+found/other.json", {});
  await keepRecords(data, copies);
  expect(await readdir(copies)).toEqual(["users"]);
  const mode = async (path: string) => (await stat(path)).mode & 0o777;
  expect(await mode(copies)).toBe(0o700);
  expect(await mode(join(copies, "users"))).toBe(0o700);
  expect(await mode(join(copies, ann))).toBe(0o600);
  await write(ann, { version: 2 });
  await putRecordsBack(data, copies);
  expect(await mode(join(data, ann))).toBe(0o600);
});
