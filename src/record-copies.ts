import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ignoring } from "./lib/errors.js";
import { writeWhole } from "./lib/write-whole.js";

// What lets an installation go back to the version before: the records as that one can read them. Nothing
// works on the data directory meanwhile. As little as may be is loaded: users wait until it is done.

/**
 * Copies all records of sandboxes and users. A copy that is there and of another version stays: it is of an
 * installation that was killed, and a daemon that is to go as well has written the record since.
 */
export async function keepRecords(dataDir: string, copiesDir: string): Promise<void> {
  await mkdir(copiesDir, { recursive: true, mode: 0o700 });
  for (const file of await recordsIn(dataDir)) {
    const text = await textOf(join(dataDir, file));
    const copy = await textOf(join(copiesDir, file));
    if (text === undefined) continue;
    const kept = copy === undefined ? undefined : stampOf(copy);
    if (kept && kept.version !== stampOf(text)?.version) continue;
    await mkdir(dirname(join(copiesDir, file)), { recursive: true, mode: 0o700 });
    await writeFile(join(copiesDir, file), text, { mode: 0o600 });
  }
}

/** What became of the records, by their paths below the data directory. */
export interface PutBack {
  restored: string[];
  /** There was none of these when copies were made: what it says of them is the newer daemon's alone. */
  unknown: string[];
}

/**
 * Puts back the copies of those records that were written in another version since. One of the same version
 * stays, for it is the latest word and can be read; of one that was removed nothing comes back, nor
 * anything over one that has been made anew under its name.
 */
export async function putRecordsBack(dataDir: string, copiesDir: string): Promise<PutBack> {
  const outcome: PutBack = { restored: [], unknown: [] };
  for (const file of await recordsIn(dataDir)) {
    const [text = "", copy] = [
      await textOf(join(dataDir, file)),
      await textOf(join(copiesDir, file)),
    ];
    const [now, before] = [stampOf(text), copy === undefined ? undefined : stampOf(copy)];
    const isSame = before !== undefined && before.createdAt === now?.createdAt;
    if (!isSame || copy === undefined) outcome.unknown.push(file);
    else if (before.version !== now?.version) {
      await writeWhole(join(dataDir, file), copy);
      outcome.restored.push(file);
    }
  }
  return outcome;
}

/** Paths below the data directory; all that is looked at is Berth's own to write, no sandbox's. */
async function recordsIn(dataDir: string): Promise<string[]> {
  const [users, sandboxes] = await Promise.all(
    ["users", "sandboxes"].map(
      async (name) => (await ignoring(readdir(join(dataDir, name)), "ENOENT")) ?? [],
    ),
  );
  return [
    ...(users ?? []).filter((file) => file.endsWith(".json")).map((file) => join("users", file)),
    ...(sandboxes ?? []).map((id) => join("sandboxes", id, "sandbox.json")),
  ];
}

const textOf = (path: string): Promise<string | undefined> =>
  ignoring(readFile(path, "utf8"), "ENOENT", "ENOTDIR", "EISDIR");

/** What is asked of a record of whatever version; undefined for what is none, or half of one. */
function stampOf(text: string): { version: unknown; createdAt: unknown } | undefined {
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json !== "object" || json === null) return undefined;
    const { version, createdAt } = json as Record<string, unknown>;
    return { version, createdAt };
  } catch {
    return undefined;
  }
}
