import type { Usage } from "../lib/contract/sandbox.js";
import type { Context } from "./context.js";
import type { SandboxRecord } from "./records.js";
import type { Watch } from "./watch.js";

/**
 * What a running sandbox uses now, beside its limits.
 * @param latest what the last sample of the watch said
 */
export async function usageOf(
  { parts, now }: Context,
  { id, limits }: SandboxRecord,
  latest: ReturnType<Watch["latest"]>,
): Promise<Usage> {
  const [engine, disk] = await Promise.all([parts.engine.usage(id), parts.disks.space(id)]);
  const { kills, throttledPercent, limitHits, pressure } = latest;
  return {
    at: now().toISOString(),
    memory: { usedBytes: engine.memoryBytes, limitBytes: limits.memoryBytes, kills },
    cpu: { usedSeconds: engine.cpuSeconds, limitCpus: limits.cpus, throttledPercent },
    pids: { used: engine.pids, limit: limits.pids, limitHits },
    disk: { ...disk, limitBytes: limits.diskBytes },
    pressure,
  };
}
