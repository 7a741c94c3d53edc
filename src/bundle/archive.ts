import { Readable } from "node:stream";
import { pack } from "tar-stream";
import { ZipFile } from "yazl";
import type { BundleFile } from "../lib/bundle-archive.js";

export interface TarEntry {
  name: string;
  /** Permission bits. */
  mode: number;
  content: Buffer;
}

/** Type bits of a regular file (inode(7)), which zip keeps beside the permissions. */
const regularFile = 0o100000;

/** The bundle as a zip; modes are kept (unzip restores them), all entries carry the same time. */
export function bundleZip(files: BundleFile[], now: Date): Readable {
  const zip = new ZipFile();
  for (const file of files) {
    zip.addBuffer(file.content, file.name, { mtime: now, mode: regularFile | file.mode });
  }
  zip.end();
  return Readable.from(zip.outputStream, { objectMode: false });
}

/** The bundle as a tar, which src/lib/bundle-archive.ts reads back. */
export function bundleTar(files: BundleFile[], now: Date): Readable {
  return packTar(files, now);
}

export function packTar(entries: TarEntry[], now: Date): Readable {
  const tar = pack();
  for (const { name, mode, content } of entries) tar.entry({ name, mode, mtime: now }, content);
  tar.finalize();
  return Readable.from(tar, { objectMode: false });
}
