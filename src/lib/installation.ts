import { randomBytes } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import writeFileAtomic from "write-file-atomic";
import { BerthError, ignoring } from "./errors.js";

/** On containers and networks: which Berth's they are. */
export const installationLabel = "berth.installation";

const pathIn = (dataDir: string) => join(dataDir, "installation-id");

/** What the file says, whatever that is; undefined while no Berth has worked on this data directory. */
export async function knownInstallation(dataDir: string): Promise<string | undefined> {
  return (await ignoring(readFile(pathIn(dataDir), "utf8"), "ENOENT"))?.trim();
}

/** The interface and network that all sandboxes of an installation share; 14 of the 15 characters that one may have. */
export const bridgeOf = (installation: string): string => `berth_${markOf(installation)}`;

/** Short enough for names, and still tells two Berths on one host apart. */
export const markOf = (installation: string): string => installation.slice(0, 8);

/**
 * The name by which this Berth marks containers and networks, so that another one on the same engine
 * is left alone; made at first use, kept in the data directory.
 */
export async function installationId(dataDir: string): Promise<string> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const path = pathIn(dataDir);
  const known = await knownInstallation(dataDir);
  if (known === undefined) {
    const id = randomBytes(8).toString("hex");
    await writeFileAtomic(path, `${id}\n`, { mode: 0o600 });
    return id;
  }
  if (/^[0-9a-f]{16}$/.test(known)) return known;
  throw new BerthError(
    "RECORD_INVALID",
    `${path} does not hold 16 hexadecimal digits; without it Berth cannot tell its containers from others'. Restore it: docker inspect any of them shows it as label berth.installation`,
  );
}
