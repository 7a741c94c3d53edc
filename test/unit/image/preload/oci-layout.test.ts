import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { extract, pack } from "tar-stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { packLayout, readLayout } from "../../../../src/image/preload/oci-layout.js";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "berth-unit-oci-"));
  await mkdir(join(dir, "blobs", "sha256"), { recursive: true });
});
afterEach(() => rm(dir, { recursive: true }));

async function blob(content: string | object) {
  const bytes = typeof content === "string" ? content : JSON.stringify(content);
  const hex = createHash("sha256").update(bytes).digest("hex");
  await writeFile(join(dir, "blobs", "sha256", hex), bytes);
  return { digest: `sha256:${hex}`, size: bytes.length };
}

const fileOf = (digest: string) => join(dir, "blobs", digest.replace(":", "/"));

const image = async (layer: string) =>
  blob({ config: await blob({ of: layer }), layers: [await blob(layer)] });

const named = (name: string) => ({ annotations: { "org.opencontainers.image.ref.name": name } });

const index = (manifests: object[]) =>
  writeFile(join(dir, "index.json"), JSON.stringify({ schemaVersion: 2, manifests }));

async function packed(architecture = "amd64"): Promise<Map<string, string>> {
  const layout = await readLayout(dir, architecture);
  const tar = pack();
  const files = new Map<string, string>();
  const unpacked = extract();
  tar.pipe(unpacked);
  const done = packLayout(dir, layout, tar);
  for await (const entry of unpacked) files.set(entry.header.name, await text(entry));
  await done;
  return files;
}

describe("an OCI image layout", () => {
  it("becomes what docker load reads, what images share once", async () => {
    const one = await image("same");
    await index([
      { ...one, ...named("one:1") },
      { ...one, ...named("two") },
    ]);
    const files = await packed();
    const manifest = JSON.parse(files.get("manifest.json") ?? "") as { RepoTags: string[] }[];
    expect(manifest.map(({ RepoTags }) => RepoTags)).toEqual([["one:1"], ["two:latest"]]);
    expect([...files.values()].filter((content) => content === "same")).toHaveLength(1);
    expect(files.size).toBe(3);
  });

  it("gives the image of this machine's architecture", async () => {
    const platform = (architecture: string) => ({ platform: { os: "linux", architecture } });
    const inner = await blob({
      manifests: [
        { ...(await image("for arm")), ...platform("arm64") },
        { ...(await image("for amd")), ...platform("amd64") },
      ],
    });
    await index([{ ...inner, ...named("box:1") }]);
    expect([...(await packed()).values()]).toContain("for amd");
    await expect(readLayout(dir, "riscv64")).rejects.toThrow("no image for riscv64");
  });

  it("is refused when it names no image, or a digest that leads elsewhere", async () => {
    await index([await image("nameless")]);
    await expect(readLayout(dir, "amd64")).rejects.toThrow("names no image");
    await index([{ digest: "sha256:../../etc/passwd", ...named("a:1") }]);
    await expect(readLayout(dir, "amd64")).rejects.toThrow("must be a sha256 digest");
  });

  it("is refused when what it names is not what the digest says", async () => {
    const { digest } = await image("one");
    const other = await blob({ config: await blob("{}"), layers: [] });
    await rename(fileOf(other.digest), fileOf(digest));
    await index([{ digest, ...named("a:1") }]);
    await expect(readLayout(dir, "amd64")).rejects.toThrow("has another digest");
  });

  it("is refused when it would be read without end", async () => {
    let inner = await image("deep");
    for (let depth = 0; depth < 10; depth++) inner = await blob({ manifests: [inner] });
    await index([{ ...inner, ...named("deep:1") }]);
    await expect(readLayout(dir, "amd64")).rejects.toThrow("too deep");

    let many = await image("many");
    for (let depth = 0; depth < 3; depth++)
      many = await blob({ manifests: Array.from({ length: 100 }, () => many) });
    await index([{ ...many, ...named("many:1") }]);
    await expect(readLayout(dir, "amd64")).rejects.toThrow("too many documents");

    const huge = await blob("{}".padEnd(5 * 1024 ** 2));
    await index([{ ...huge, ...named("huge:1") }]);
    await expect(readLayout(dir, "amd64")).rejects.toThrow("larger than 4 MiB");
  });

  it("is refused when a pipe or a device stands where a file should", async () => {
    const layer = await blob("layer");
    const of = async (path: string) => {
      await index([
        { ...(await blob({ config: await blob("{}"), layers: [layer] })), ...named("a:1") },
      ]);
      await rm(fileOf(layer.digest));
      if (path) await symlink(path, fileOf(layer.digest));
      else execFileSync("mkfifo", [fileOf(layer.digest)]);
    };
    for (const path of ["/dev/zero", ""]) {
      await of(path);
      await expect(readLayout(dir, "amd64")).rejects.toThrow("is no file");
    }
  });
});
