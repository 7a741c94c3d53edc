import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { assemble, type Surroundings } from "./assemble.js";
import type { Config } from "./config.js";
import type { ReapAction, ReapResult } from "./lib/contract/sandbox.js";
import { knownInstallation } from "./lib/installation.js";
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
  const { dryRun, purge } = options;
  // What looks must make nothing, and a Berth that has no name yet has nothing on the host.
  if (dryRun && (await knownInstallation(dataDir)) === undefined) return { dryRun, actions: [] };
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  // What is only looked at may be looked at while the daemon runs.
  const lock = dryRun ? undefined : await lockDataDirectory(dataDir);
  try {
    const { provisioner, records, close } = await assemble(config, surroundings);
    try {
      await records.load();
      const result = await provisioner.clearHost(options);
      const isClear = result.actions.every(({ error }) => error === undefined);
      if (dryRun || !isClear) return result;
      await removeRunDir(runDir);
      if (!purge) return result;
      return { ...result, actions: [...result.actions, ...(await purgeData(dataDir))] };
    } finally {
      close();
    }
  } finally {
    await lock?.release();
  }
}

async function purgeData(dataDir: string): Promise<ReapAction[]> {
  const stays = await removeData(dataDir);
  return [
    { act: "remove", thing: `Berth's data in ${dataDir}`, why: "it is Berth's" },
    ...stays.map((name) => ({
      act: "leave",
      thing: join(dataDir, name),
      why: "it is not Berth's, or something is mounted there",
    })),
  ];
}
