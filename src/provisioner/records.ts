import { readdir, readFile, rmdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import {
  limitsShape,
  sandboxId,
  sandboxName,
  sandboxStates,
  userName,
} from "../lib/contract/sandbox.js";
import { BerthError, ignoring, messageOf } from "../lib/errors.js";
import type { Log } from "../lib/log.js";
import { egressModes, isolations } from "../lib/model.js";
import { migrate } from "../lib/record-versions.js";
import { parseStrictly } from "../lib/strict-issues.js";
import { writeWhole } from "../lib/write-whole.js";
import { sandboxHistory, sandboxVersion } from "./record-history.js";

const port = z.int().min(1).max(65_535);

const fields = z.strictObject({
  /** Raised when a field changes its meaning (record-history.ts); an older daemon refuses a newer record. */
  version: z.literal(sandboxVersion),
  id: sandboxId,
  user: userName,
  name: sandboxName,
  profile: z.string(),
  isolation: z.enum(isolations),
  state: z.enum(sandboxStates),
  reason: z.string().optional(),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
  image: z.string(),
  /** The store of preloaded images that it sees. */
  preload: z.string().optional(),
  limits: z.strictObject(limitsShape),
  ports: z.strictObject({ engine: port, from: port, to: port }),
  network: z.strictObject({ subnet: z.cidrv4(), address: z.ipv4() }),
  publicHost: z.string(),
  /** First of the host uids of a `userns` sandbox. */
  uidBase: z.int().min(1).optional(),
  egress: z.strictObject({ mode: z.enum(egressModes), to: z.array(z.string()) }),
  devices: z.array(z.string()),
});

const recordSchema = fields.refine(
  ({ isolation, uidBase }) => (isolation === "userns") === (uidBase !== undefined),
  "uidBase belongs to the isolation userns",
);

/** What Berth knows of a sandbox: `<dir>/<id>/sandbox.json`. Everything else can be made again from it. */
export type SandboxRecord = z.infer<typeof recordSchema>;

/** Certificates are in a folder of their own: that folder is what the sandbox sees. */
const certsFolder = "certs";
const certFiles = ["server-key.pem", "server-cert.pem", "ca.pem"] as const;
/** What we read ourselves is never what a sandbox has mounted. */
const ownCaFile = "ca.pem";
/** What limits did to the sandbox (incidents.ts). */
export const incidentsFile = "incidents.json";
/** When client certificates were handed out (client-certificates.ts). */
export const certificatesFile = "client-certificates.json";
type CertFile = (typeof certFiles)[number];

/** The directories of all sandboxes, and what they say, kept in memory as well. */
export class Records {
  readonly #dir: string;
  readonly #log: Log;
  readonly #records = new Map<string, SandboxRecord>();

  constructor(options: { dir: string; log: Log }) {
    this.#dir = options.dir;
    this.#log = options.log;
  }

  /**
   * Reads every record; one that cannot be read is logged and nothing of its sandbox is touched. What an
   * older Berth wrote is migrated in memory, and written when it is saved for another reason: what is
   * on the disk can be read by that Berth for as long as may be.
   */
  async load(): Promise<void> {
    for (const id of await this.#directories()) {
      try {
        const record = await readRecord(this.#path(id), id);
        if (record) this.#records.set(id, record);
      } catch (error) {
        this.#unreadable.add(id);
        this.#log.error(
          { sandbox: id, err: error },
          "a sandbox's record cannot be read; left alone",
        );
      }
    }
  }

  /** Ids of directories without a record: what a creation leaves that dies in its first moment. */
  async halfMade(): Promise<string[]> {
    const ids = await this.#directories();
    return ids.filter((id) => !this.#records.has(id) && !this.#unreadable.has(id));
  }

  async #directories(): Promise<string[]> {
    return sandboxesIn(this.#dir);
  }

  /** Ids that have a directory whose record cannot be read: nothing of theirs may be removed. */
  get unreadable(): ReadonlySet<string> {
    return this.#unreadable;
  }
  readonly #unreadable = new Set<string>();

  all(): SandboxRecord[] {
    return [...this.#records.values()];
  }

  get(id: string): SandboxRecord | undefined {
    return this.#records.get(id);
  }

  /** Takes the record into account at once (nobody else gets its name or ports) and then writes it. */
  async save(record: SandboxRecord): Promise<void> {
    this.#records.set(record.id, record);
    await writeWhole(this.#path(record.id), JSON.stringify(record, null, 2) + "\n");
  }

  /** Changes fields of a record; a record that is gone meanwhile stays gone. */
  async update(id: string, change: Partial<SandboxRecord>): Promise<SandboxRecord> {
    const record = this.#records.get(id);
    if (!record) throw new BerthError("SANDBOX_NOT_FOUND", `sandbox ${id} is gone`);
    const changed = { ...record, ...change };
    try {
      await this.save(changed);
    } catch (error) {
      // Nothing is true that the next start would not know.
      if (this.#records.get(id) === changed) this.#records.set(id, record);
      throw error;
    }
    return changed;
  }

  /** Our own copy of the CA certificate is written last: where it is, all others are. */
  async saveCertificates(id: string, files: Record<CertFile, string>): Promise<void> {
    for (const name of certFiles) {
      await writeWhole(join(this.certsDirectory(id), name), files[name]);
    }
    await writeWhole(join(this.directory(id), ownCaFile), files["ca.pem"]);
  }

  /** The CA certificate, or undefined when the certificates have not been made yet. */
  caPem(id: string): Promise<string | undefined> {
    return ignoring(readFile(join(this.directory(id), ownCaFile), "utf8"), "ENOENT");
  }

  certsDirectory(id: string): string {
    return join(this.directory(id), certsFolder);
  }

  directory(id: string): string {
    return join(this.#dir, id);
  }

  #path(id: string): string {
    return join(this.directory(id), "sandbox.json");
  }

  /**
   * Removes the directory, the record last. Files are named one by one and the rest must be empty:
   * a recursive removal would walk whatever is still mounted there.
   */
  async remove(id: string): Promise<void> {
    const dir = this.directory(id);
    await removeOwnFiles(this.certsDirectory(id), certFiles);
    await ignoring(rmdir(this.certsDirectory(id)), "ENOENT");
    await removeOwnFiles(dir, [ownCaFile, incidentsFile, certificatesFile, "sandbox.json"]);
    await ignoring(rmdir(dir), "ENOENT");
    this.#records.delete(id);
  }
}

/** Ids of the sandboxes that have a directory here; whatever else is in it is none. */
export async function sandboxesIn(dir: string): Promise<string[]> {
  const names = (await ignoring(readdir(dir), "ENOENT")) ?? [];
  return names.filter((id) => sandboxId.safeParse(id).success);
}

/**
 * What a sandbox's file says, migrated in memory if an older Berth wrote it; undefined when there is none.
 * @throws BerthError RECORD_INVALID
 */
export async function readRecord(path: string, id: string): Promise<SandboxRecord | undefined> {
  const text = await ignoring(readFile(path, "utf8"), "ENOENT");
  if (text === undefined) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new BerthError("RECORD_INVALID", `sandbox.json of ${id}: ${messageOf(error)}`);
  }
  const migrated = migrate(json, sandboxHistory, path);
  const record = parseStrictly(recordSchema, migrated, `sandbox.json of ${id}`, "RECORD_INVALID");
  if (record.id !== id) {
    throw new BerthError("RECORD_INVALID", `sandbox.json of ${id} says it is ${record.id}`);
  }
  return record;
}

async function removeOwnFiles(dir: string, names: readonly string[]): Promise<void> {
  const present = (await ignoring(readdir(dir), "ENOENT")) ?? [];
  // write-file-atomic leaves `<file>.<digits>` behind when the process is killed in the middle.
  const leftovers = present.filter((file) => /^[a-z-]+\.(json|pem)\.\d+$/.test(file));
  for (const file of [...leftovers, ...names]) {
    await ignoring(unlink(join(dir, file)), "ENOENT");
  }
}
