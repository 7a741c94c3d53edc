import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { lookAtProgram, programs } from "../../../src/doctor/programs.js";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "berth-doctor-"));
  await mkdir(join(dir, "first"));
  await mkdir(join(dir, "second"));
});
afterEach(() => rm(dir, { recursive: true }));

const [nft] = programs;

describe("a program", () => {
  const write = async (folder: string, mode: number) => {
    const file = join(dir, folder, nft.name);
    await writeFile(file, "#!/bin/sh\n");
    await chmod(file, mode);
  };
  it.each<[string, string, () => Promise<void>]>([
    ["failure", "is nowhere", () => Promise.resolve()],
    ["ok", "is in a later folder", () => write("second", 0o755)],
    ["failure", "may not be executed", () => write("first", 0o644)],
    ["failure", "is a directory", () => mkdir(join(dir, "first", nft.name)).then(() => undefined)],
    ["failure", "is a device", () => symlink("/dev/null", join(dir, "first", nft.name))],
    ["failure", "is a link to nothing", () => symlink("gone", join(dir, "first", nft.name))],
    ["ok", "is a link", () => symlink("/bin/true", join(dir, "first", nft.name))],
  ])("is %s when it %s", async (status, _where, make) => {
    await make();
    const path = ["first", "second"].map((folder) => join(dir, folder)).join(":");
    expect(await lookAtProgram(nft, path)).toMatchObject({ check: "nft", status });
  });
});
