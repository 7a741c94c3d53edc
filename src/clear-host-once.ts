import { mkdir } from "node:fs/promises";
import { assemble, type Surroundings } from "./assemble.js";
import type { Config } from "./config.js";
import type { ReapResult } from "./lib/contract/sandbox.js";
import { lockDataDirectory } from "./lib/lock.js";
import { removeData, removeRunDir } from "./own-files.js";
import type { ClearOptions } from "./provisioner/clear-host.js";

/**
 * What a Berth that is uninstalled does last, in this process and without a daemon: takes itself off the
 * host, and with `purge` removes all that it keeps.
 * @throws BerthError ALREADY_RUNNING while there is a daemon, but on a dry run
 */
export async function clearHostOnce(
  config: Config,
  surroundings: Surroundings,
  options: ClearOptions,
): Promise<ReapResult> {
  const { dataDir, runDir } = config;
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  // What is only looked at may be looked at while the daemon runs.
  const lock = options.dryRun ? undefined : await lockDataDirectory(dataDir);
  try {
    const { provisioner, records, close } = await assemble(config, surroundings);
    try {
      await records.load();
      const result = await provisioner.clearHost(options);
      const isClear = result.actions.every(({ error }) => error === undefined);
      if (options.dryRun || !isClear) return result;
      await removeRunDir(runDir);
      if (!options.purge) return result;
      const foreign = await removeData(dataDir);
      const why = foreign.length === 0 ? "it is Berth's" : `but for ${foreign.join(", ")}`;
      return { ...result, actions: [...result.actions, { act: "remove", thing: dataDir, why }] };
    } finally {
      close();
    }
  } finally {
    await lock?.release();
  }
}
