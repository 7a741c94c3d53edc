import { join } from "node:path";
import { z } from "zod";
import { certificateList, type CertificateList } from "../lib/contract/looks.js";
import { KeyedMutex } from "../lib/keyed-mutex.js";
import type { Log } from "../lib/log.js";
import { writeWhole } from "../lib/write-whole.js";
import { readBesideRecords } from "./beside-records.js";
import { certificatesFile, type Records } from "./records.js";

type Certificate = CertificateList["certificates"][number];

const keptPerSandbox = 20;

const fileSchema = z.strictObject({ version: z.literal(1), ...certificateList.shape });

/** When client certificates were handed out and how long each is good, kept beside the record: not the certificates. */
export class ClientCertificates {
  readonly #known = new Map<string, Certificate[]>();
  readonly #writing = new KeyedMutex();

  constructor(private readonly parts: { records: Records; log: Log; now: () => Date }) {}

  /** Reads what was kept, once the records are read; what is damaged is logged and forgotten. */
  async load(): Promise<void> {
    const file = { name: certificatesFile, schema: fileSchema, what: "certificates" };
    await readBesideRecords(this.parts, file, (id, { certificates }) => {
      this.#known.set(id, certificates);
    });
  }

  /** Those that are still good, newest first. */
  of(id: string): Certificate[] {
    const now = this.parts.now().toISOString();
    return (this.#known.get(id) ?? []).filter(({ expiresAt }) => expiresAt > now);
  }

  /** One was handed out. What cannot be written is told all the same until the next start. */
  async add(id: string, expiresAt: Date): Promise<void> {
    const issuedAt = this.parts.now().toISOString();
    const issued = { issuedAt, expiresAt: expiresAt.toISOString() };
    this.#known.set(id, [issued, ...this.of(id)].slice(0, keptPerSandbox));
    await this.#writing.run(id, async () => {
      const certificates = this.#known.get(id);
      if (!certificates || !this.parts.records.get(id)) return;
      const text = JSON.stringify({ version: 1, certificates }, null, 2) + "\n";
      await writeWhole(this.#path(id), text).catch((error: unknown) => {
        this.parts.log.warn({ sandbox: id, err: error }, "a certificate's time is not written");
      });
    });
  }

  /** Forgets a sandbox; nothing of it is written during `remove`, nor once that took its record away. */
  async forget(id: string, remove: () => Promise<void>): Promise<void> {
    await this.#writing.run(id, async () => {
      await remove();
      this.#known.delete(id);
    });
  }

  #path(id: string): string {
    return join(this.parts.records.directory(id), certificatesFile);
  }
}
