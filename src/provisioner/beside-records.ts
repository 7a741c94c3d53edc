import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { z } from "zod";
import { ignoring } from "../lib/errors.js";
import type { Log } from "../lib/log.js";
import { parseStrictly } from "../lib/strict-issues.js";
import type { Records } from "./records.js";

/** A file that is kept beside each record, and what people call what is in it. */
export interface BesideFile<S extends z.ZodType> {
  name: string;
  schema: S;
  what: string;
}

/** Gives `take` what each sandbox's file holds, where there is one; what is damaged is logged and left out. */
export async function readBesideRecords<S extends z.ZodType>(
  { records, log }: { records: Records; log: Log },
  { name, schema, what }: BesideFile<S>,
  take: (id: string, content: z.output<S>) => void,
): Promise<void> {
  for (const { id } of records.all()) {
    try {
      const path = join(records.directory(id), name);
      const text = await ignoring(readFile(path, "utf8"), "ENOENT");
      if (text === undefined) continue;
      take(id, parseStrictly(schema, JSON.parse(text), `${name} of ${id}`, "RECORD_INVALID"));
    } catch (error) {
      log.warn({ sandbox: id, err: error }, `a sandbox's ${what} cannot be read; ignored`);
    }
  }
}
