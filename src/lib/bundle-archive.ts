import { lstat, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { extract } from "tar-stream";
import writeFileAtomic from "write-file-atomic";
import { BerthError, ignoring, messageOf } from "./errors.js";

/**
 * Every file of a bundle with its mode, in the order in which they are written: the Docker context
 * first, because it is also what tells an earlier bundle from anybody else's directory.
 */
export const bundleFileModes = {
  "berth.dockercontext": 0o600,
  "ca.pem": 0o644,
  "cert.pem": 0o644,
  "key.pem": 0o600,
  "env.sh": 0o644,
  "env.ps1": 0o644,
  "README.txt": 0o644,
} as const;

export type BundleFileName = keyof typeof bundleFileModes;

export const bundleFileNames = Object.keys(bundleFileModes) as BundleFileName[];

const marker = "berth.dockercontext" satisfies BundleFileName;

export interface BundleFile {
  name: BundleFileName;
  /** Permission bits. */
  mode: number;
  content: Buffer;
}

export function bundleFile(name: BundleFileName, content: string | Buffer): BundleFile {
  return { name, mode: bundleFileModes[name], content: Buffer.from(content) };
}

/** No file of a bundle comes near this; what claims to be larger is no bundle. */
const maxFileBytes = 1024 * 1024;

/**
 * The files of a bundle that came as a tar. Names are looked up among the known ones and modes are
 * ours: nothing in the archive decides where or how a file is written.
 * @throws RECORD_INVALID for anything but a complete bundle.
 */
export async function readBundleTar(archive: Buffer): Promise<BundleFile[]> {
  const files = new Map<BundleFileName, BundleFile>();
  try {
    const entries = extract();
    entries.end(archive);
    for await (const entry of entries) {
      const { name, type, size } = entry.header;
      const known = bundleFileNames.find((candidate) => candidate === name);
      if (known === undefined) throw notABundle(`it has an entry ${JSON.stringify(name)}`);
      if (type !== "file") throw notABundle(`its ${known} is a ${type}`);
      if (size > maxFileBytes) throw notABundle(`its ${known} has ${size} bytes`);
      if (files.has(known)) throw notABundle(`it has ${known} twice`);
      files.set(known, bundleFile(known, await buffer(entry)));
    }
  } catch (error) {
    if (error instanceof BerthError) throw error;
    throw notABundle(`it does not unpack (${messageOf(error)})`, error);
  }
  return bundleFileNames.map((name) => {
    const file = files.get(name);
    if (file === undefined) throw notABundle(`it has no ${name}`);
    return file;
  });
}

function notABundle(fault: string, cause?: unknown): BerthError {
  const message = `what came as a bundle is none: ${fault}; is the daemon of another version?`;
  return new BerthError("RECORD_INVALID", message, { cause });
}

/**
 * Writes a bundle into a directory, made with mode 0700 when missing. Each file is replaced
 * atomically; an earlier bundle there is overwritten, which is how a certificate is renewed.
 * @throws INVALID_REQUEST when a file there is not of an earlier bundle, or nothing can be written.
 */
export async function writeBundle(files: BundleFile[], directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await refuseStrangers(directory);
    for (const name of bundleFileNames) {
      const file = files.find((candidate) => candidate.name === name);
      if (file === undefined) continue;
      await writeFileAtomic(join(directory, name), file.content, { mode: file.mode });
    }
  } catch (error) {
    if (error instanceof BerthError) throw error;
    throw new BerthError(
      "INVALID_REQUEST",
      `cannot write the bundle to ${directory}: ${messageOf(error)}; choose another directory`,
      { cause: error },
    );
  }
}

/**
 * A bundle's tar into a directory; resolves with the names of the files written.
 * @throws as readBundleTar and writeBundle do.
 */
export async function unpackBundle(archive: Buffer, directory: string): Promise<string[]> {
  const files = await readBundleTar(archive);
  await writeBundle(files, directory);
  return files.map(({ name }) => name);
}

async function refuseStrangers(directory: string): Promise<void> {
  const present: BundleFileName[] = [];
  for (const name of bundleFileNames) {
    const stat = await ignoring(lstat(join(directory, name)), "ENOENT");
    if (stat === undefined) continue;
    // Through a symbolic link, the key would land somewhere else.
    if (!stat.isFile()) throw refusal(directory, `${name} is no regular file`);
    present.push(name);
  }
  if (present.length > 0 && !present.includes(marker)) {
    throw refusal(directory, `${present.join(", ")} would be overwritten`);
  }
}

function refusal(directory: string, fault: string): BerthError {
  return new BerthError(
    "INVALID_REQUEST",
    `will not write the bundle to ${directory}: it holds no earlier bundle, and ${fault}; ` +
      `choose a new directory`,
  );
}
