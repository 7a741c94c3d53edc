import { randomBytes } from "node:crypto";
import { lstat, readFile } from "node:fs/promises";
import { join } from "node:path";
import { BerthError, ignoring } from "../../lib/errors.js";
import { writeWhole } from "../../lib/write-whole.js";

const keyFile = "session-key";

/**
 * The key that seals sessions, 256 random bits in hex; made at first use (mode 0600), so that sessions
 * outlive a restart. Removing the file ends every session.
 * @throws BerthError RECORD_INVALID when the file is open to others, or damaged
 */
export async function sessionKey(dataDir: string): Promise<string> {
  const path = join(dataDir, keyFile);
  const stat = await ignoring(lstat(path), "ENOENT");
  if (!stat) {
    const key = randomBytes(32).toString("hex");
    await writeWhole(path, `${key}\n`);
    return key;
  }
  if (!stat.isFile() || (stat.mode & 0o077) !== 0) {
    throw unusable(path, "others than its owner may read it, or it is no file");
  }
  const key = (await readFile(path, "utf8")).trim();
  if (!/^[0-9a-f]{64}$/.test(key)) throw unusable(path, "it does not hold 64 hexadecimal digits");
  return key;
}

function unusable(path: string, fault: string): BerthError {
  return new BerthError(
    "RECORD_INVALID",
    `cannot use the key of sessions ${path}: ${fault}. Remove it, and Berth makes a new one; everybody signs in again`,
  );
}
