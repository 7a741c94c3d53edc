import { pipeline } from "node:stream/promises";
import { extract, pack, type Extract, type Pack } from "tar-stream";

export interface AddedFile {
  /** Absolute path in the image. */
  path: string;
  mode: number;
  content: Buffer;
}

type Entry = Extract extends AsyncIterable<infer Item> ? Item : never;

export interface TarChanges {
  /** Absolute paths; a trailing `/*` keeps the directory and drops what it holds. */
  drop: string[];
  /** Owned by root; each replaces a file of the same path. */
  add: AddedFile[];
}

/**
 * Copies a root's tar into another, entry by entry, with these changes; holds no file in memory.
 * The caller ends `target` (`finalize`) once it knows that `source` is whole: an end of file alone
 * does not tell a finished root from one whose maker was killed between two entries.
 * @param onBytes called with the size of each file copied
 */
export async function copyRoot(
  source: NodeJS.ReadableStream,
  target: Pack,
  { drop, add }: TarChanges,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const replaced = new Set(add.map((file) => file.path));
  const unpacked = extract();
  const read = pipeline(source, writable(unpacked));
  // Awaited below; a failure before that must not count as unhandled.
  read.catch(() => undefined);
  for await (const entry of unpacked) {
    const path = absolute(entry.header.name);
    if (replaced.has(path) || isDropped(path, drop)) {
      entry.resume();
      continue;
    }
    await copyEntry(entry, target);
    onBytes(entry.header.size);
  }
  await read;
  for (const file of add) addFile(target, file);
}

/** Adds one file; the engine makes the directories above it when they are missing. */
export function addFile(target: Pack, { path, mode, content }: AddedFile): void {
  target.entry({ name: path.slice(1), mode, uid: 0, gid: 0, mtime: new Date(0) }, content);
}

/** A tar of these files alone. */
export function packFiles(files: AddedFile[]): Pack {
  const target = pack();
  for (const file of files) addFile(target, file);
  target.finalize();
  return target;
}

async function copyEntry(entry: Entry, target: Pack): Promise<void> {
  const { header } = entry;
  if (header.type !== "file") {
    target.entry(header);
    entry.resume();
    return;
  }
  // streamx's own pipe: it waits for the target's room and passes a failure of either side on.
  await new Promise<void>((resolve, reject) => {
    const sink = target.entry(header, (error) => {
      if (error) reject(error);
      else resolve();
    });
    entry.pipe(sink);
  });
}

// tar-stream's streams are streamx's: they pipe with Node's, and only their types differ.
export const readable = (stream: Entry | Pack): NodeJS.ReadableStream =>
  stream as unknown as NodeJS.ReadableStream;
const writable = (stream: unknown): NodeJS.WritableStream => stream as NodeJS.WritableStream;

/** `./usr/bin/` to `/usr/bin`. */
const absolute = (name: string): string => `/${name.replace(/^\.?\/*/, "").replace(/\/+$/, "")}`;

export const isDropped = (path: string, drop: string[]): boolean =>
  drop.some((pattern) =>
    pattern.endsWith("/*") ? path.startsWith(pattern.slice(0, -1)) : path === pattern,
  );
