import { readdir, rmdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { codeOf, ignoring } from "./lib/errors.js";

// What Berth keeps in its directories, by name: any of them may hold other things as well, for an operator
// may have made dataDir one of their own. write-file-atomic leaves `<file>.<digits>` where it is killed.

const ownFiles =
  /^(installation-id|ca-key\.pem|session-key|ended-sessions\.json|last-seen\.json|https\.pem)(\.\d+|\.[0-9a-f]+\.tmp)?$/;

/** The sandboxes are gone: what is left in their directory is not walked, for a disk may be mounted there. */
const ownDirectories: [name: string, ownFiles: RegExp | undefined][] = [
  ["sandboxes", undefined],
  ["users", /^[a-z][a-z0-9_.-]*\.json(\.\d+)?$/],
  ["builds", /^\d+\.json(\.\d+)?$/],
  ["preloads", /^(lock|[0-9a-f]{12}\.erofs(\.partial)?)$/],
];

/**
 * Removes all that Berth keeps in its data directory, and the directory itself if nothing else is in it.
 * The caller holds its lock, whose file goes last.
 * @returns what stays, by its path below the directory: it is not Berth's, or something is mounted there
 */
export async function removeData(dataDir: string): Promise<string[]> {
  const stays: string[] = [];
  for (const [name, files] of ownDirectories) {
    const dir = join(dataDir, name);
    const left = files ? await unlinkOwn(dir, files) : await names(dir);
    if (left.length > 0) stays.push(...left.map((file) => join(name, file)));
    else if (!(await rmdirIfEmpty(dir))) stays.push(name);
  }
  await unlinkOwn(dataDir, ownFiles);
  await unlinkOwn(dataDir, /^lock$/);
  await rmdirIfEmpty(dataDir);
  const known = new Set(ownDirectories.map(([name]) => name));
  return [...stays, ...(await names(dataDir)).filter((name) => !known.has(name))].sort();
}

/** Removes the directory of socket and mounts, in which nothing is mounted any more. */
export async function removeRunDir(runDir: string): Promise<void> {
  await ignoring(unlink(join(runDir, "berth.sock")), "ENOENT");
  await rmdirIfEmpty(runDir);
}

const names = async (dir: string): Promise<string[]> =>
  (await ignoring(readdir(dir), "ENOENT")) ?? [];

/** Removes the files of these names, directories never; tells what is left. */
async function unlinkOwn(dir: string, own: RegExp): Promise<string[]> {
  const entries = (await ignoring(readdir(dir, { withFileTypes: true }), "ENOENT")) ?? [];
  const left: string[] = [];
  for (const entry of entries) {
    const isOwn = entry.isFile() && own.test(entry.name);
    // EBUSY: something is mounted on it. EPERM: somebody made it immutable.
    const gone = isOwn && (await isGone(unlink(join(dir, entry.name)), "EBUSY", "EPERM"));
    if (!gone) left.push(entry.name);
  }
  return left;
}

/** False when something is in it, or a file system is mounted on it. */
const rmdirIfEmpty = (dir: string): Promise<boolean> =>
  isGone(rmdir(dir), "ENOTEMPTY", "EEXIST", "EBUSY");

/** Whether it is gone after its removal; not where that fails for one of these codes. */
async function isGone(removal: Promise<unknown>, ...codes: string[]): Promise<boolean> {
  try {
    await ignoring(removal, "ENOENT");
    return true;
  } catch (error) {
    if (codes.includes(codeOf(error) ?? "")) return false;
    throw error;
  }
}
