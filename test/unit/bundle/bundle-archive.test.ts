import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { execa } from "execa";
import { pack } from "tar-stream";
import { describe, expect, it } from "vitest";
import { bundleTar, bundleZip } from "../../../src/bundle/archive.js";
import { BundlePacker } from "../../../src/bundle/bundler.js";
import { bundleFiles } from "../../../src/bundle/files.js";
import {
  bundleFileNames,
  readBundleTar,
  unpackBundle,
  writeBundle,
} from "../../../src/lib/bundle-archive.js";
import type { Bundler } from "../../../src/provisioner/parts.js";
import { has, input, now, temporaryDirectory } from "./support.js";

const files = await bundleFiles(input(), now);
const tar = await buffer(bundleTar(files, now));

/** Names and modes of what lies in a directory. */
async function modesIn(directory: string): Promise<Record<string, string>> {
  const modes: Record<string, string> = {};
  for (const name of await readdir(directory)) {
    modes[name] = ((await stat(join(directory, name))).mode & 0o7777).toString(8);
  }
  return modes;
}

const expectedModes = Object.fromEntries(files.map((f) => [f.name, f.mode.toString(8)]));

describe("a zip", () => {
  it("unzips to the same files with their modes", async ({ skip }) => {
    if (!(await has("unzip", "-v"))) skip("no unzip on PATH");
    const directory = await temporaryDirectory();
    const zip = join(directory, "bundle.zip");
    await writeFile(zip, await buffer(bundleZip(files, now)));
    const target = join(directory, "out");
    await execa("unzip", ["-q", zip, "-d", target]);
    expect(await modesIn(target)).toEqual(expectedModes);
    for (const { name, content } of files) {
      expect(await readFile(join(target, name))).toEqual(content);
    }
    expect((await stat(join(target, "key.pem"))).mtime).toEqual(now);
  });

  it("is the same for the same files and time", async () => {
    const [one, two] = [bundleZip(files, now), bundleZip(files, now)];
    expect(await buffer(one)).toEqual(await buffer(two));
  });
});

describe("a tar", () => {
  it("unpacks to the same files with their modes", async () => {
    const directory = await temporaryDirectory();
    await execa("tar", ["-xp", "-C", directory], { input: tar });
    expect(await modesIn(directory)).toEqual(expectedModes);
    expect((await stat(join(directory, "key.pem"))).mtime).toEqual(now);
  });

  it("reads back as it was", async () => {
    expect(await readBundleTar(tar)).toEqual(files);
  });
});

describe("the packer", () => {
  it.each(["zip", "tar"] as const)("streams a whole bundle as %s", async (format) => {
    const packer: Bundler = new BundlePacker({ now: () => now });
    const expected = format === "zip" ? bundleZip(files, now) : bundleTar(files, now);
    expect(await buffer(packer.archive(format, input()))).toEqual(await buffer(expected));
  });

  it("ends the stream with the error when a bundle cannot be made", async () => {
    const packer = new BundlePacker();
    const broken = input({ expiresAt: new Date(NaN) });
    await expect(buffer(packer.archive("tar", broken))).rejects.toThrow(RangeError);
  });
});

describe("reading a tar that is no bundle", () => {
  type Entry = Parameters<ReturnType<typeof pack>["entry"]>[0];
  async function tarOf(...entries: Entry[]): Promise<Buffer> {
    const stream = pack();
    for (const entry of entries) stream.entry(entry, entry.type === "symlink" ? "" : "x");
    stream.finalize();
    return buffer(stream);
  }

  it.each<[string, Entry[], RegExp]>([
    ["a path upwards", [{ name: "../../etc/cron.d/x" }], /entry "..\/..\/etc\/cron.d\/x"/],
    ["an absolute path", [{ name: "/etc/passwd" }], /entry "\/etc\/passwd"/],
    ["a name of Object's own", [{ name: "constructor" }], /entry "constructor"/],
    ["a link", [{ name: "key.pem", type: "symlink", linkname: "/etc/x" }], /key.pem is a symlink/],
    ["a file twice", [{ name: "ca.pem" }, { name: "ca.pem" }], /ca.pem twice/],
    ["files missing", [{ name: "ca.pem" }], /has no berth.dockercontext/],
  ])("refuses %s", async (_, entries, message) => {
    await expect(readBundleTar(await tarOf(...entries))).rejects.toMatchObject({
      code: "RECORD_INVALID",
      message: expect.stringMatching(message) as string,
    });
  });

  it.each<[string, Buffer]>([
    ["an answer that was cut off", tar.subarray(0, 1500)],
    ["something else", Buffer.from("<html>".repeat(300))],
    ["nothing", Buffer.alloc(0)],
  ])("refuses %s", async (_, archive) => {
    await expect(readBundleTar(archive)).rejects.toMatchObject({ code: "RECORD_INVALID" });
  });

  it("refuses an entry of more than a mebibyte", async () => {
    const stream = pack();
    stream.entry({ name: "ca.pem" }, Buffer.alloc(1024 * 1024 + 1));
    stream.finalize();
    await expect(readBundleTar(await buffer(stream))).rejects.toThrow(/1048577 bytes/);
  });
});

describe("writing a bundle", () => {
  it("makes a directory only its owner may enter, whatever the umask", async () => {
    const directory = join(await temporaryDirectory(), "deep", "ann");
    expect(await unpackBundle(tar, directory)).toEqual(bundleFileNames);
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    expect(await modesIn(directory)).toEqual(expectedModes);
  });

  it("replaces an earlier bundle, with the right modes again, and leaves other files alone", async () => {
    const directory = await temporaryDirectory();
    await writeBundle(files, directory);
    await chmod(join(directory, "key.pem"), 0o644);
    await writeFile(join(directory, "notes"), "mine");
    const keyPem = "another key\n";
    const client = { ...input().client, keyPem };
    await writeBundle(await bundleFiles(input({ client }), now), directory);
    expect(await readFile(join(directory, "key.pem"), "utf8")).toBe(keyPem);
    expect(await modesIn(directory)).toEqual({ ...expectedModes, notes: "644" });
  });

  it("refuses to overwrite a file that is not of a bundle, and writes nothing", async () => {
    const directory = await temporaryDirectory();
    await writeFile(join(directory, "README.txt"), "of my project");
    await expect(writeBundle(files, directory)).rejects.toMatchObject({
      code: "INVALID_REQUEST",
      message: expect.stringContaining("README.txt would be overwritten") as string,
    });
    expect(await readdir(directory)).toEqual(["README.txt"]);
  });

  it("refuses to write through a link", async () => {
    const directory = await temporaryDirectory();
    await writeBundle(files, directory);
    const other = join(directory, "other");
    await mkdir(other);
    await symlink(join(directory, "berth.dockercontext"), join(other, "berth.dockercontext"));
    await expect(writeBundle(files, other)).rejects.toThrow(/is no regular file/);
  });

  it("says so when the place cannot be written", async () => {
    const file = join(await temporaryDirectory(), "file");
    await writeFile(file, "");
    await expect(writeBundle(files, join(file, "dir"))).rejects.toMatchObject({
      code: "INVALID_REQUEST",
    });
  });
});
