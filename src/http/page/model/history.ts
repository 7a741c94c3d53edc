// What a sandbox used over the last minutes, for the graphs. Pure.

import { coresBetween } from "./format.js";
import type { Usage, UsageSample } from "./types.js";

/** How much of the past the graphs show. */
export const historyMs = 10 * 60_000;

/** The server's samples and our own, each moment once, oldest first, none older than the graphs show. */
export function mergeSamples(older: UsageSample[], newer: UsageSample[]): UsageSample[] {
  const byTime = new Map([...older, ...newer].map((sample) => [sample.at, sample]));
  const all = [...byTime.values()].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
  const last = Date.parse(all.at(-1)?.at ?? "");
  return all.filter(({ at }) => last - Date.parse(at) <= historyMs);
}

/** A reading as a sample; cores are known only from the reading before it. */
export function sampleOf(usage: Usage, before: Usage | undefined): UsageSample {
  const cores =
    before &&
    coresBetween(
      { at: before.at, seconds: before.cpu.usedSeconds },
      { at: usage.at, seconds: usage.cpu.usedSeconds },
    );
  return {
    at: usage.at,
    memoryBytes: usage.memory.usedBytes,
    pids: usage.pids.used,
    diskBytes: usage.disk.usedBytes,
    ...(cores === undefined ? {} : { cpuCores: cores }),
  };
}

export interface Point {
  /** 0 (oldest shown) to 1 (now). */
  x: number;
  /** 0 to 1 of the scale. */
  y: number;
}

type Measure = Exclude<keyof UsageSample, "at">;

/** The line of one measure up to `now`, on a scale from 0 to `limit`. */
export function pointsOf(
  samples: UsageSample[],
  measure: Measure,
  limit: number,
  spanMs = historyMs,
): Point[] {
  const now = Date.parse(samples.at(-1)?.at ?? "");
  return samples.flatMap((sample) => {
    const value = sample[measure];
    if (value === undefined || !(limit > 0)) return [];
    const x = 1 - (now - Date.parse(sample.at)) / spanMs;
    return [{ x: Math.max(0, x), y: Math.min(1, Math.max(0, value / limit)) }];
  });
}

/** The largest value of a measure, or undefined when it was never read. */
export function highest(samples: UsageSample[], measure: Measure): number | undefined {
  const values = samples.map((sample) => sample[measure]).filter((value) => value !== undefined);
  return values.length > 0 ? Math.max(...values) : undefined;
}
