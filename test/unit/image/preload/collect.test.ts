import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { pack } from "tar-stream";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { collect, type CollectRequest } from "../../../../src/image/preload/collect.js";
import type { Source } from "../../../../src/image/preload/sources.js";
import { Tally } from "../../../../src/image/preload/tally.js";
import type { BuildProgress } from "../../../../src/image/progress.js";

const dir = await mkdtemp(join(tmpdir(), "berth-unit-collect-"));
afterAll(() => rm(dir, { recursive: true }));

/** What reached the engine of the build, in turn. */
let got: (Buffer | string)[];
/** What the host's engine was asked to save. */
let saved: unknown[];
/** The answer of the engine of the build to what it was sent. */
let answer: string;
let progress: Partial<BuildProgress>[];
let abort: AbortController;
beforeEach(() => {
  [got, saved, progress] = [[], [], []];
  answer = '{"stream":"Loaded image: a:1\\n"}';
  abort = new AbortController();
});

/** As `docker save` has it: a blob for each layer. */
function saveOf(layers: Record<string, string>): Readable {
  const tar = pack();
  for (const [digest, content] of Object.entries(layers))
    tar.entry({ name: `blobs/sha256/${digest}` }, content);
  tar.finalize();
  return Readable.from(tar);
}

function request(stream = () => saveOf({})): CollectRequest {
  const docker = {
    modem: {
      dial: (asked: { options: { names: unknown } }, done: (e: unknown, s?: Readable) => void) => {
        saved.push(asked.options.names);
        try {
          done(null, stream());
        } catch (error) {
          done(error);
        }
      },
    },
  };
  const engine = {
    loadImage: async (tar: Readable) => {
      got.push(await buffer(tar));
      return Readable.from([answer]);
    },
    pull: (name: string) => {
      got.push(name);
      return Promise.resolve(Readable.from(['{"status":"Downloading"}']));
    },
  };
  const report: CollectRequest["report"] = (phase, message, bytes, measures) => {
    progress.push({ phase, message, ...(bytes === undefined ? {} : { bytes }), ...measures });
  };
  return {
    docker: docker as unknown as CollectRequest["docker"],
    engine: engine as unknown as CollectRequest["engine"],
    architecture: "amd64",
    tally: new Tally(report, () => 0),
    report,
    signal: abort.signal,
  };
}

const inEngine = (name: string, ...layers: string[]): Source => ({
  kind: "engine",
  name,
  identity: name,
  sizeBytes: 10_000,
  layers: layers.map((layer) => `sha256:${layer}`),
});
const far = { kind: "registry", name: "far:1", identity: "far:1" } as const;

async function tarFile(name: string, content: Buffer): Promise<Source> {
  const path = join(dir, name);
  await writeFile(path, content);
  return { kind: "tar", name: path, identity: path, sizeBytes: content.length };
}

describe("the images of a preload", () => {
  it("come from files first, so that what the profile names has the last word on its name", async () => {
    const content = gzipSync("a tar, compressed");
    const file = await tarFile("a.tar.gz", content);
    await collect(request(), [far, inEngine("a:1"), file]);
    expect(got).toHaveLength(3);
    // As it lies there: the engine takes it compressed or not.
    expect(got[0]).toEqual(content);
    expect(got[2]).toBe("far:1");
  });

  it("come in one stream from the engine, and each tells of its own bytes", async () => {
    const stream = () => saveOf({ aa: "x".repeat(2000), bb: "y".repeat(4000) });
    const asked = request(stream);
    await collect(asked, [inEngine("a:1", "aa"), inEngine("b:1", "aa", "bb")]);
    expect(saved).toEqual([["a:1", "b:1"]]);
    expect(got).toEqual([await buffer(stream())]);
    const [first, second] = asked.tally.images();
    // The layer that both have is the first one's.
    expect(first?.bytes).toBeGreaterThanOrEqual(2000);
    expect(second?.bytes).toBeGreaterThanOrEqual(4000);
    expect(asked.tally.movedBytes).toBe((got[0] as Buffer).length);
    expect(progress).toContainEqual(
      expect.objectContaining({ phase: "collect", image: "b:1", totalBytes: 10_000 }),
    );
  });

  it("count once for the time that is left, however many names they have", async () => {
    const twice = { ...inEngine("a:latest", "aa"), identity: "a:1" };
    await collect(request(), [inEngine("a:1", "aa"), twice]);
    const totals = new Map(progress.map(({ image, totalBytes }) => [image, totalBytes]));
    expect(totals.get("a:1")).toBe(10_000);
    expect(totals.get("a:latest")).toBeUndefined();
  });

  it("fail by their name, with what the engine says", async () => {
    answer = '{"error":"archive/tar: invalid tar header"}';
    const file = await tarFile("broken.tar", Buffer.from("no tar"));
    await expect(collect(request(), [file])).rejects.toMatchObject({
      code: "IMAGE_BUILD_FAILED",
      message: `the image ${file.name} cannot be preloaded: archive/tar: invalid tar header`,
    });
    const gone = () => {
      throw new Error("No such image");
    };
    await expect(collect(request(gone), [inEngine("a:1")])).rejects.toMatchObject({
      message: "the image a:1 cannot be preloaded: No such image",
    });
  });

  it("stop coming when the build is broken off", async () => {
    const endless = () =>
      Readable.from(
        (function* () {
          for (;;) {
            if (progress.length > 1) abort.abort();
            yield Buffer.alloc(512);
          }
        })(),
      );
    await expect(collect(request(endless), [inEngine("a:1")])).rejects.toThrow();
    expect(abort.signal.aborted).toBe(true);
  });
});
