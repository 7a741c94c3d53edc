import { mkdir } from "node:fs/promises";
import { assemble, type Surroundings } from "./assemble.js";
import type { Config } from "./config.js";
import type { ReapResult } from "./lib/contract/sandbox.js";
import { lockDataDirectory } from "./lib/lock.js";

/** What cron gets when the daemon is down: the same reaping, in this process, once. */
export async function reapOnce(
  config: Config,
  surroundings: Surroundings,
  dryRun: boolean,
): Promise<ReapResult> {
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  const lock = await lockDataDirectory(config.dataDir);
  try {
    const { provisioner, records, close } = await assemble(config, surroundings);
    try {
      await records.load();
      return await provisioner.reap({ dryRun });
    } finally {
      // Its connections would keep the process alive, and the timer from coming round again.
      close();
    }
  } finally {
    await lock.release();
  }
}
