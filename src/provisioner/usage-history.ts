import type { Usage } from "../lib/contract/sandbox.js";
import type { UsageHistory } from "../lib/contract/looks.js";
import type { SandboxLimits } from "../lib/limits.js";
import type { DiskSpace, KernelCounters } from "../lib/model.js";

/** Ten minutes, one every five seconds. */
export const sampleEveryMs = 5_000;
const kept = 120;

const fields = ["atMs", "memoryBytes", "cpuCores", "pids", "diskBytes"] as const;

export interface Reading {
  atMs: number;
  counters: KernelCounters;
  /** Absent when it could not be read. */
  space: DiskSpace | undefined;
}

/** What was seen of one sandbox in a row: 5 kB, however long it lives. */
class Ring {
  /** NaN is what could not be read. */
  readonly #numbers = new Float64Array(kept * fields.length);
  #count = 0;
  last: Reading | undefined;

  add(reading: Reading): void {
    const { atMs, counters, space } = reading;
    const numbers = [
      atMs,
      usedMemory(counters),
      coresBetween(this.last, reading),
      counters.pids.current,
      space?.usedBytes ?? NaN,
    ];
    this.#numbers.set(numbers, (this.#count % kept) * fields.length);
    this.#count++;
    this.last = reading;
  }

  /** Oldest first. */
  samples(): UsageHistory["samples"] {
    const first = Math.max(0, this.#count - kept);
    return Array.from({ length: this.#count - first }, (_, i): UsageHistory["samples"][number] => {
      const from = ((first + i) % kept) * fields.length;
      const value = (field: (typeof fields)[number]) =>
        this.#numbers[from + fields.indexOf(field)] ?? NaN;
      const known = fields
        .filter((field) => field !== "atMs" && !Number.isNaN(value(field)))
        .map((field) => [field, value(field)] as const);
      const at = new Date(value("atMs")).toISOString();
      return { at, ...Object.fromEntries<number>(known) };
    });
  }
}

/** What each sandbox used over the last minutes. */
export class UsageSamples {
  readonly #rings = new Map<string, Ring>();

  add(id: string, reading: Reading): void {
    const ring = this.#rings.get(id) ?? new Ring();
    this.#rings.set(id, ring);
    ring.add(reading);
  }

  of(id: string): UsageHistory {
    return { intervalMs: sampleEveryMs, samples: this.#rings.get(id)?.samples() ?? [] };
  }

  last(id: string): Reading | undefined {
    return this.#rings.get(id)?.last;
  }

  forget(isGone: (id: string) => boolean): void {
    for (const id of this.#rings.keys()) if (isGone(id)) this.#rings.delete(id);
  }
}

/** A reading as usage is told; undefined when a part of it could not be read. Pure. */
export function usageSeen(
  reading: Reading | undefined,
  limits: SandboxLimits,
  counts: { kills: number; throttledPercent: number; limitHits: number },
): Usage | undefined {
  if (!reading?.space) return undefined;
  const { atMs, counters, space } = reading;
  const { kills, throttledPercent, limitHits } = counts;
  return {
    at: new Date(atMs).toISOString(),
    memory: { usedBytes: usedMemory(counters), limitBytes: limits.memoryBytes, kills },
    cpu: { usedSeconds: counters.cpu.usedSeconds, limitCpus: limits.cpus, throttledPercent },
    pids: { used: counters.pids.current, limit: limits.pids, limitHits },
    disk: { ...space, limitBytes: limits.diskBytes },
    pressure: counters.pressure,
  };
}

/** As the engine tells it: without what the kernel would drop at once. */
function usedMemory({ memory }: KernelCounters): number {
  return Math.max(0, memory.currentBytes - memory.inactiveFileBytes);
}

/** NaN for the first, and when the container was started anew in between. */
function coresBetween(before: Reading | undefined, now: Reading): number {
  const ms = now.atMs - (before?.atMs ?? NaN);
  const seconds = now.counters.cpu.usedSeconds - (before?.counters.cpu.usedSeconds ?? NaN);
  return ms > 0 && seconds >= 0 ? (1000 * seconds) / ms : NaN;
}
