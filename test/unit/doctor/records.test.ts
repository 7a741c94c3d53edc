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
