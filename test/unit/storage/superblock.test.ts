import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { fileSystemBytes } from "../../../src/storage/superblock.js";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "berth-superblock-"));
});
afterEach(() => rm(dir, { recursive: true }));

/** The fields that are read, where the kernel's documentation puts them. */
async function superblock(fields: { low: number; high: number; logSize: number; magic: number }) {
  const image = Buffer.alloc(4096);
  const block = image.subarray(1024);
  block.writeUInt32LE(fields.low, 0x4);
  block.writeUInt32LE(fields.logSize, 0x18);
  block.writeUInt16LE(fields.magic, 0x38);
  block.writeUInt32LE(fields.high, 0x150);
  const file = join(dir, "device");
  await writeFile(file, image);
  return file;
}

it("tells the size of an ext4 file system, also beyond 2^32 blocks", async () => {
  const small = await superblock({ low: 262_144, high: 0, logSize: 2, magic: 0xef53 });
  expect(await fileSystemBytes(small)).toBe(1024 ** 3);
  const large = await superblock({ low: 5, high: 1, logSize: 2, magic: 0xef53 });
  expect(await fileSystemBytes(large)).toBe((2 ** 32 + 5) * 4096);
});

it("takes nothing else for one", async () => {
  const file = join(dir, "zeros");
  await writeFile(file, "");
  await truncate(file, 8192);
  await expect(fileSystemBytes(file)).rejects.toThrow("no ext4 file system");
});
