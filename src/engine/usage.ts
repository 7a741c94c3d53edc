import { z } from "zod";

/** What a sandbox uses, its dockerd and all inner containers together. */
export interface EngineUsage {
  memoryBytes: number;
  /** Processor time since its container started, seconds. */
  cpuSeconds: number;
  pids: number;
}

/** The part of the engine's stats we read; a stopped container answers with most of it empty. */
const statsSchema = z.object({
  memory_stats: z.object({
    usage: z.number().default(0),
    stats: z
      .object({ total_inactive_file: z.number().optional(), inactive_file: z.number().optional() })
      .default({}),
  }),
  cpu_stats: z.object({
    cpu_usage: z.object({ total_usage: z.number().default(0) }).prefault({}),
  }),
  pids_stats: z.object({ current: z.number().default(0) }).prefault({}),
});

/**
 * Reads the engine's stats answer (Engine API, ContainerStats).
 * Page cache that can be dropped at once is not counted, as `docker stats` does it:
 * total_inactive_file on cgroup v1, inactive_file on v2.
 */
export function usageOf(stats: unknown): EngineUsage {
  const { memory_stats, cpu_stats, pids_stats } = statsSchema.parse(stats);
  const cache = memory_stats.stats.total_inactive_file ?? memory_stats.stats.inactive_file ?? 0;
  return {
    memoryBytes: Math.max(0, memory_stats.usage - cache),
    cpuSeconds: cpu_stats.cpu_usage.total_usage / 1e9,
    pids: pids_stats.current,
  };
}
