import { join } from "node:path";
import type { Finding } from "../cli/local.js";
import type { Config } from "../config.js";
import { messageOf } from "../lib/errors.js";
import { readRecord, sandboxesIn } from "../provisioner/records.js";
import { readUserRecord, userFile, usersIn } from "../users/read-record.js";
import { inOrder, warning } from "./findings.js";

const check = "records";
const fix =
  "restore the file from a backup, or install the Berth that wrote it (docs/operations.md, Going back)";

/** Whether every record can be read: without it the daemon touches nothing of a sandbox, and lets no user in. */
export async function lookAtRecords({ dataDir }: Pick<Config, "dataDir">): Promise<Finding[]> {
  const sandboxesDir = join(dataDir, "sandboxes");
  const usersDir = join(dataDir, "users");
  const [sandboxes, users] = [await sandboxesIn(sandboxesDir), await usersIn(usersDir)];
  const findings: Finding[] = [];
  for (const id of sandboxes) {
    const path = join(sandboxesDir, id, "sandbox.json");
    const why =
      "that sandbox is left alone whatever happens: it neither expires nor comes back, and keeps its disk and ports";
    findings.push(...(await faultOf(path, readRecord(path, id), why)));
  }
  for (const name of users) {
    const why = "that user is shut out: token, password and sessions are refused";
    findings.push(
      ...(await faultOf(userFile(usersDir, name), readUserRecord(usersDir, name), why)),
    );
  }
  if (findings.length > 0) return findings;
  const count = `${sandboxes.length} of sandboxes and ${users.length} of users`;
  return [inOrder(check, `${count}, all of which can be read`)];
}

async function faultOf(path: string, reading: Promise<unknown>, why: string): Promise<Finding[]> {
  try {
    await reading;
    return [];
  } catch (error) {
    return [warning(check, { what: `${path} cannot be read: ${messageOf(error)}`, why, fix })];
  }
}
