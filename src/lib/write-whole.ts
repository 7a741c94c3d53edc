import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import writeFileAtomic from "write-file-atomic";
import { BerthError, codeOf } from "./errors.js";

/**
 * Writes a file with mode 0600, whole or not at all; makes its directory.
 * @throws BerthError DISK_FULL
 */
export async function writeWhole(path: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeFileAtomic(path, text, { mode: 0o600 });
  } catch (error) {
    if (codeOf(error) !== "ENOSPC") throw error;
    throw new BerthError(
      "DISK_FULL",
      `cannot write ${path}: the file system is full; free some space there and try again`,
      { cause: error },
    );
  }
}
