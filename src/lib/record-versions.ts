import { z } from "zod";
import { BerthError } from "./errors.js";

/** Makes of what one version wrote what the next would have written; changes nothing of what it is given. */
export type Migration = (record: Record<string, unknown>) => Record<string, unknown>;

/**
 * How a kind of record came to be what it is. A field that changes its meaning, or that may be there from
 * now on, is a new version: its migration goes to the end, and none is ever changed. The version alone
 * tells whether a Berth can read a record, for whoever installs an older one or goes back to it.
 */
export interface History {
  /** The version of the oldest records there are; those of version 0 do not say so. */
  oldest: number;
  /** The first makes `oldest + 1` of `oldest`, and so on. */
  migrations: readonly Migration[];
}

export const currentVersion = ({ oldest, migrations }: History): number =>
  oldest + migrations.length;

const record = z.record(z.string(), z.unknown());

/**
 * The record as this Berth would write it. What is no record of a known version comes back as it is,
 * for the schema to find fault with.
 * @param what names it in the error: `/var/lib/berth/users/ann.json`
 * @throws BerthError RECORD_INVALID when a newer Berth wrote it
 */
export function migrate(json: unknown, history: History, what: string): unknown {
  const parsed = record.safeParse(json);
  if (!parsed.success) return json;
  const { version = 0 } = parsed.data;
  const current = currentVersion(history);
  if (typeof version !== "number" || !Number.isInteger(version) || version < history.oldest)
    return json;
  if (version > current) {
    throw new BerthError(
      "RECORD_INVALID",
      `${what} is of version ${version}, and this Berth knows none above ${current}: a newer one wrote it. ` +
        "It is left as it is; install that Berth again (docs/operations.md, Going back)",
    );
  }
  let migrated = parsed.data;
  for (const step of history.migrations.slice(version - history.oldest)) migrated = step(migrated);
  return { ...migrated, version: current };
}
