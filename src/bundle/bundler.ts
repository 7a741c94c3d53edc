import { Readable } from "node:stream";
import type { BundleFormat, BundleInput } from "../lib/model.js";
import { bundleTar, bundleZip } from "./archive.js";
import { bundleFiles } from "./files.js";

/** Packs bundles; keeps nothing of them. */
export class BundlePacker {
  readonly #now: () => Date;

  constructor(options: { now?: () => Date } = {}) {
    this.#now = options.now ?? (() => new Date());
  }

  /** The bundle as a zip (9 kB) or tar (22 kB); a fault in making it is the stream's error. */
  archive(format: BundleFormat, input: BundleInput): Readable {
    return Readable.from(pack(format, input, this.#now()), { objectMode: false });
  }
}

async function* pack(
  format: BundleFormat,
  input: BundleInput,
  now: Date,
): AsyncGenerator<Buffer, void> {
  const files = await bundleFiles(input, now);
  yield* format === "zip" ? bundleZip(files, now) : bundleTar(files, now);
}
