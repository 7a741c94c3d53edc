import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Finding } from "../cli/local.js";
import type { Config } from "../config.js";
import { ignoring, messageOf } from "../lib/errors.js";
import { readRecord } from "../provisioner/records.js";
import { inOrder, warning } from "./findings.js";

/** Whether every sandbox's record can be read: of one that cannot, the daemon touches nothing. */
export async function lookAtRecords({ dataDir }: Pick<Config, "dataDir">): Promise<Finding[]> {
  const check = "records";
  const dir = join(dataDir, "sandboxes");
  const ids = (await ignoring(readdir(dir), "ENOENT")) ?? [];
  const unreadable: Finding[] = [];
  for (const id of ids) {
    const path = join(dir, id, "sandbox.json");
    try {
      await readRecord(path, id);
    } catch (error) {
      unreadable.push(
        warning(check, {
          what: `${path} cannot be read: ${messageOf(error)}`,
          why: "that sandbox is left alone whatever happens: it neither expires nor comes back, and keeps its disk and ports",
          fix: "restore the file from a backup, or install the Berth that wrote it (docs/operations.md, Going back)",
        }),
      );
    }
  }
  if (unreadable.length > 0) return unreadable;
  return [inOrder(check, `${ids.length} of sandboxes, all of which can be read`)];
}
