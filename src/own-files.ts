import { readdir, rm, rmdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { codeOf, ignoring } from "./lib/errors.js";

// What Berth keeps in its directories, by name: either may be one that holds other things as well.

const ownDirectories = ["users", "preloads", "builds"];
const ownFiles =
  /^(installation-id|ca-key\.pem|session-key|ended-sessions\.json|last-seen\.json|https\.pem)(\.\d+|\.[0-9a-f]+\.tmp)?$/;

/**
 * Removes all that Berth keeps in its data directory, and the directory itself if nothing else is in it.
 * The sandboxes are gone: what is left in their directory is not walked, for a disk may be mounted there.
 * The caller holds its lock, whose file goes last.
 * @returns names of what is not Berth's and stays
 */
export async function removeData(dataDir: string): Promise<string[]> {
  const isGone = await rmdirIfEmpty(join(dataDir, "sandboxes"));
  for (const name of ownDirectories) {
    await rm(join(dataDir, name), { recursive: true, force: true });
  }
  const files = (await ignoring(readdir(dataDir), "ENOENT")) ?? [];
  for (const file of files.filter((name) => ownFiles.test(name))) await unlink(join(dataDir, file));
  await ignoring(unlink(join(dataDir, "lock")), "ENOENT");
  if (isGone && (await rmdirIfEmpty(dataDir))) return [];
  return readdir(dataDir);
}

/** Removes the directory of socket and mounts, in which nothing is mounted any more. */
export async function removeRunDir(runDir: string): Promise<void> {
  await ignoring(unlink(join(runDir, "berth.sock")), "ENOENT");
  await rmdirIfEmpty(runDir);
}

/** False when something is in it. One on which a file system is mounted stays, and counts as removed. */
async function rmdirIfEmpty(dir: string): Promise<boolean> {
  try {
    await rmdir(dir);
    return true;
  } catch (error) {
    if (codeOf(error) === "ENOTEMPTY" || codeOf(error) === "EEXIST") return false;
    if (codeOf(error) === "ENOENT" || codeOf(error) === "EBUSY") return true;
    throw error;
  }
}
