import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { lookAtRecords } from "../../../src/doctor/records.js";

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "berth-records-"));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

async function writeUser(name: string, text: string): Promise<void> {
  await mkdir(join(dataDir, "users"), { recursive: true });
  await writeFile(join(dataDir, "users", `${name}.json`), text);
}

async function write(id: string, text: string): Promise<void> {
  await mkdir(join(dataDir, "sandboxes", id), { recursive: true });
  await writeFile(join(dataDir, "sandboxes", id, "sandbox.json"), text);
}

it("finds no fault where there are no sandboxes yet, and makes no directory", async () => {
  expect(await lookAtRecords({ dataDir })).toMatchObject([{ check: "records", status: "ok" }]);
  await expect(rm(join(dataDir, "sandboxes"))).rejects.toMatchObject({ code: "ENOENT" });
});

it("names each record that is damaged or of a newer Berth, and why", async () => {
  await write("aaaaaaa1", "{ half");
  await write("bbbbbbb2", JSON.stringify({ version: 99 }));
  const path = (id: string) => join(dataDir, "sandboxes", id, "sandbox.json");
  expect(await lookAtRecords({ dataDir })).toMatchObject([
    { status: "warning", what: expect.stringContaining(`${path("aaaaaaa1")} cannot`) as string },
    { status: "warning", what: expect.stringContaining("version 99") as string },
  ]);
});

it("names users' records as well, whose users are shut out", async () => {
  const createdAt = "2026-01-01T12:00:00.000Z";
  await writeUser("ann", JSON.stringify({ name: "ann", role: "user", createdAt }));
  expect(await lookAtRecords({ dataDir })).toMatchObject([
    { status: "ok", what: "0 of sandboxes and 1 of users, all of which can be read" },
  ]);
  await writeUser("bob", JSON.stringify({ name: "ann", role: "user", createdAt }));
  await writeUser("cat", JSON.stringify({ version: 99 }));
  expect(await lookAtRecords({ dataDir })).toMatchObject([
    { status: "warning", what: expect.stringContaining("bob.json says it is ann") as string },
    {
      what: expect.stringContaining("version 99") as string,
      why: expect.stringContaining("shut out") as string,
    },
  ]);
});

it("takes for a sandbox only what has the name of one", async () => {
  await write("lost+found", "{ half");
  await writeFile(join(dataDir, "sandboxes", "notes.txt"), "");
  expect(await lookAtRecords({ dataDir })).toMatchObject([{ status: "ok" }]);
});
