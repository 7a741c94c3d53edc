import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { BerthError, ignoring, messageOf } from "../lib/errors.js";
import { migrate } from "../lib/record-versions.js";
import { parseStrictly } from "../lib/strict-issues.js";
import { userHistory, userRecord, type UserRecord } from "./record.js";

const ending = ".json";

/** Names of the users who have a record here. */
export async function usersIn(dir: string): Promise<string[]> {
  const files = (await ignoring(readdir(dir), "ENOENT")) ?? [];
  return files.filter((file) => file.endsWith(ending)).map((file) => file.slice(0, -ending.length));
}

export const userFile = (dir: string, name: string): string => join(dir, `${name}${ending}`);

/**
 * What a user's file says, migrated in memory if an older Berth wrote it.
 * @throws BerthError RECORD_INVALID
 */
export async function readUserRecord(dir: string, name: string): Promise<UserRecord> {
  const path = userFile(dir, name);
  let json: unknown;
  try {
    json = JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    throw new BerthError("RECORD_INVALID", `${path}: ${messageOf(error)}`);
  }
  const migrated = migrate(json, userHistory, path);
  const user = parseStrictly(userRecord, migrated, path, "RECORD_INVALID");
  if (user.name === name) return user;
  throw new BerthError("RECORD_INVALID", `${path} says it is ${user.name}`);
}
