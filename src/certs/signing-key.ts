import { createPrivateKey, randomBytes, type KeyObject } from "node:crypto";
import { link, lstat, mkdir, open, readFile, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { BerthError, ignoring, messageOf } from "../lib/errors.js";
import type { FreshKey } from "./key.js";

/** Name of the file with the key that signs every certificate of this installation. */
export const signingKeyFile = "ca-key.pem";

/**
 * The signing key in `directory`, made there at first use (mode 0600; PKCS#8 PEM).
 * A file that is there is never replaced: with another key, no sandbox's clients could be renewed.
 * @throws RECORD_INVALID when the file is empty, no RSA key of 2048 bits or more, no regular file,
 * or open to others than its owner.
 */
export async function openSigningKey(
  directory: string,
  generate: () => Promise<FreshKey>,
): Promise<KeyObject> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, signingKeyFile);
  const existing = await readKey(path);
  if (existing !== undefined) return existing;
  await writeOnce(path, (await generate()).pem);
  const key = await readKey(path);
  if (key === undefined) throw invalid(path, "it vanished while it was being made");
  return key;
}

async function readKey(path: string): Promise<KeyObject | undefined> {
  const stat = await ignoring(lstat(path), "ENOENT");
  if (stat === undefined) return undefined;
  if (!stat.isFile()) throw invalid(path, "it is no regular file");
  if ((stat.mode & 0o077) !== 0) {
    throw invalid(path, `others than its owner may open it; see who did, then chmod 600 ${path}`);
  }
  if (stat.size === 0) throw invalid(path, "it is empty");
  const pem = await readFile(path, "utf8");
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (error) {
    // Node's message names the fault ("unsupported", "bad base64 decode"), never the content.
    throw invalid(path, `it does not parse (${messageOf(error)})`);
  }
  if (key.asymmetricKeyType !== "rsa" || (key.asymmetricKeyDetails?.modulusLength ?? 0) < 2048) {
    throw invalid(path, "it is no RSA key of 2048 bits or more");
  }
  return key;
}

function invalid(path: string, fault: string): BerthError {
  return new BerthError(
    "RECORD_INVALID",
    `cannot use the signing key ${path}: ${fault}. Put it back from a backup; or remove the ` +
      `sandboxes and the file, and Berth makes a new one`,
  );
}

/**
 * Writes a file that was not there, whole or not at all. link(2) and not rename(2): it fails with
 * EEXIST when somebody else was first, and then theirs counts.
 */
async function writeOnce(path: string, content: string): Promise<void> {
  const draft = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    const file = await open(draft, "wx", 0o600);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await ignoring(link(draft, path), "EEXIST");
  } finally {
    await ignoring(unlink(draft), "ENOENT");
  }
  const directory = await open(dirname(path));
  await directory.sync().finally(() => directory.close());
}
