import { mkdtemp, mkdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { DockerImages } from "../../../../src/image/engine-images.js";
import { inputsDigest, wantedOf } from "../../../../src/image/preload/identity.js";
import { findSources } from "../../../../src/image/preload/sources.js";

const dir = await mkdtemp(join(tmpdir(), "berth-unit-sources-"));
afterAll(() => rm(dir, { recursive: true }));

/** An engine that has these images, by name. */
function engineWith(images: Record<string, string>): DockerImages {
  const inspect = (name: string) => {
    const Id = images[name];
    if (Id === undefined) return Promise.reject(Object.assign(new Error(), { statusCode: 404 }));
    return Promise.resolve({ Id, Size: 7, RootFS: { Layers: ["sha256:aa"] } });
  };
  const fake = { getImage: (name: string) => ({ inspect: () => inspect(name) }) };
  return fake as unknown as DockerImages;
}

describe("where a profile's images come from", () => {
  it("is the host's engine, or else a registry", async () => {
    const docker = engineWith({ box: "sha256:1", "reg.test:5000/box": "sha256:2" });
    const found = await findSources(["box", "reg.test:5000/box", "far:1"], { docker });
    expect(found).toEqual([
      {
        kind: "engine",
        name: "box:latest",
        identity: "sha256:1",
        sizeBytes: 7,
        layers: ["sha256:aa"],
      },
      expect.objectContaining({ kind: "engine", name: "reg.test:5000/box:latest" }),
      { kind: "registry", name: "far:1", identity: "far:1" },
    ]);
  });

  it("is not the engine under a digest, by which nothing is saved", async () => {
    const name = `box@sha256:${"0".repeat(64)}`;
    await expect(
      findSources([name], { docker: engineWith({ [name]: "sha256:1" }) }),
    ).rejects.toMatchObject({ message: expect.stringContaining("docker tag") as string });
    const [far] = await findSources([name], { docker: engineWith({}) });
    expect(far?.kind).toBe("registry");
  });

  it("is what Berth itself can make, by its name", async () => {
    const docker = engineWith({ "berth/exercise-shell:1": "sha256:3" });
    const makers = {
      names: () => Promise.resolve(["shell"]),
      build: (name: string) => Promise.resolve({ references: [`berth/exercise-${name}:1`] }),
    };
    const found = await findSources(["shell", "init"], { docker, makers });
    expect(found.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      "engine berth/exercise-shell:1",
      "registry init",
    ]);
  });

  it("is a file, which is another when it was written anew, or an OCI layout", async () => {
    const docker = engineWith({});
    const [file, layout] = [join(dir, "a.tar"), join(dir, "layout")];
    await writeFile(file, "tar");
    await mkdir(layout);
    await writeFile(join(layout, "index.json"), "{}");
    const [tar, oci] = await findSources([file, layout], { docker });
    expect([tar?.kind, oci?.kind]).toEqual(["tar", "oci"]);
    await utimes(file, 1, 1);
    const [touched] = await findSources([file], { docker });
    expect(touched?.identity).not.toBe(tar?.identity);
  });

  it("is told by name when it cannot be found", async () => {
    const missing = join(dir, "missing.tar");
    await expect(findSources([missing], { docker: engineWith({}) })).rejects.toMatchObject({
      code: "IMAGE_BUILD_FAILED",
      message: expect.stringContaining(`the image ${missing} cannot be preloaded`) as string,
    });
  });

  it("is no device and no pipe", async () => {
    await expect(findSources(["/dev/zero"], { docker: engineWith({}) })).rejects.toMatchObject({
      code: "IMAGE_BUILD_FAILED",
      message: expect.stringContaining("neither a file nor a directory") as string,
    });
  });
});

describe("what identifies a preload", () => {
  const source = (identity: string) => ({ kind: "registry", name: "a:1", identity }) as const;

  it("is the list, in whatever order and however often an image is in it", () => {
    expect(wantedOf(["b", "a", "b"])).toBe(wantedOf(["a", "b"]));
    expect(wantedOf(["a"])).not.toBe(wantedOf(["a", "b"]));
  });

  it("is every input: dind image, list and each image's content", () => {
    const inputs = { base: "berth/dind:1", wanted: "w", sources: [source("1")] };
    const digests = [
      inputs,
      { ...inputs, base: "berth/dind:2" },
      { ...inputs, wanted: "x" },
      { ...inputs, sources: [source("2")] },
    ].map(inputsDigest);
    expect(new Set(digests).size).toBe(4);
    expect(inputsDigest({ ...inputs })).toBe(digests[0]);
  });
});
