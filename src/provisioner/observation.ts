import type { DiskSpace, KernelCounters } from "../lib/model.js";
import type { Sighting } from "./sightings.js";

const minuteMs = 60_000;
/** A window that a sampling or two fell out of still counts as a minute. */
const nearlyAMinuteMs = 50_000;
/** The engine sets its quotas per 100 ms. */
const quotaPeriodMs = 100;
const throttledFromPercent = 20;
/** A fork that is refused may have been one of many, some of which have ended by now. */
const crowdedFrom = 0.9;
const fullFrom = 0.99;
/** A disk that stays about full is told of once. */
const notFullBelow = 0.95;

export interface Sample {
  atMs: number;
  counters: KernelCounters;
  /** Absent when it could not be read. */
  space: DiskSpace | undefined;
}

/** What one sandbox's samples mean: readings that only count up become things that happened. Pure but for its memory. */
export class Observation {
  /** undefined: the next reading is where counting begins. */
  #killCounter: number | undefined;
  #forkCounter: number | undefined;
  /** Kills that the kernel's log told of, since the start and since the last sample. */
  #killsLogged = 0;
  #killsLoggedSince = 0;
  /** Kills that were counted in the last sample and have no line of the log yet. */
  #killsUnexplained = 0;
  #forksSeen = 0;
  /** undefined: the next reading is where it begins. */
  #peak: number | undefined;
  #isCrowded = false;
  #isFull: boolean;
  #cpu: { atMs: number; periods: number; throttled: number }[] = [];
  #throttledToldMs = -Infinity;

  /**
   * @param options.isNew whether its container has started under our eyes: then all of its counts are news
   * @param options.isFull whether its full disk has been told of
   */
  constructor(options: { isNew: boolean; isFull: boolean }) {
    this.#killCounter = options.isNew ? 0 : undefined;
    this.#forkCounter = options.isNew ? 0 : undefined;
    this.#peak = options.isNew ? 0 : undefined;
    this.#isFull = options.isFull;
  }

  /** The container was started again: the kernel counts from zero. */
  restart(): void {
    this.#killCounter = 0;
    this.#forkCounter = 0;
    this.#peak = 0;
    this.#killsLogged = 0;
    this.#killsUnexplained = 0;
    this.#forksSeen = 0;
    this.#isCrowded = false;
    this.#cpu = [];
  }

  /** A kill came by the kernel's log; its count will follow. */
  noteKill(): void {
    this.#killsLogged++;
    this.#killsLoggedSince++;
  }

  take({ atMs, counters, space }: Sample): Sighting[] {
    return [
      ...this.#takeKills(counters.memory.kills),
      ...this.#takePids(counters.pids),
      ...this.#takeCpu(counters.cpu, atMs),
      ...(space ? this.#takeSpace(space) : []),
    ];
  }

  /** On cgroup v1 the log knows of kills that the container's own counter does not. */
  get kills(): number {
    return Math.max(this.#killCounter ?? 0, this.#killsLogged);
  }

  get limitHits(): number {
    return Math.max(this.#forkCounter ?? 0, this.#forksSeen);
  }

  /** Of the time of the last minute's samples, whole percents. */
  get throttledPercent(): number {
    const [first, last] = [this.#cpu[0], this.#cpu.at(-1)];
    if (!first || !last || last.atMs <= first.atMs) return 0;
    // The kernel counts only periods in which something ran.
    const periods = Math.max(
      last.periods - first.periods,
      (last.atMs - first.atMs) / quotaPeriodMs,
    );
    return Math.min(100, Math.round((100 * (last.throttled - first.throttled)) / periods));
  }

  /** The line of the log that names the process may come a moment after the count: wait one sample. */
  #takeKills(counter: number): Sighting[] {
    const fresh = grown(this.#killCounter, counter);
    const unexplained = Math.max(0, this.#killsUnexplained + fresh - this.#killsLoggedSince);
    const times = Math.min(this.#killsUnexplained, unexplained);
    this.#killCounter = counter;
    this.#killsLoggedSince = 0;
    this.#killsUnexplained = unexplained - times;
    return times > 0 ? [{ kind: "memory", limit: "unknown", times }] : [];
  }

  /**
   * Where the kernel counts refusals only in the cgroup that was refused, which is one below, the crowd
   * itself is the sign, now or since the last look.
   */
  #takePids(pids: KernelCounters["pids"]): Sighting[] {
    const fresh = grown(this.#forkCounter, pids.limitHits);
    const isCrowded = pids.current >= pids.limit;
    const isSeen = fresh > 0 || (isCrowded && !this.#isCrowded) || this.#hasPeaked(pids);
    this.#forkCounter = pids.limitHits;
    this.#isCrowded = isCrowded;
    this.#peak = pids.peak;
    return isSeen ? [this.noteRefusedFork()] : [];
  }

  /** Whether the sandbox's own limit, by these readings, is what refuses a fork somewhere in it. */
  isCrowded(pids: KernelCounters["pids"]): boolean {
    return pids.current >= pids.limit * crowdedFrom || this.#hasPeaked(pids);
  }

  #hasPeaked({ peak, limit }: KernelCounters["pids"]): boolean {
    return peak >= limit && (this.#peak ?? peak) < limit;
  }

  /** The sandbox's own limit of processes was reached. */
  noteRefusedFork(): Sighting {
    this.#forksSeen++;
    return { kind: "pids", limit: "sandbox" };
  }

  #takeCpu({ periods, throttledPeriods }: KernelCounters["cpu"], atMs: number): Sighting[] {
    if (periods < (this.#cpu.at(-1)?.periods ?? 0)) this.#cpu = [];
    this.#cpu.push({ atMs, periods, throttled: throttledPeriods });
    while (this.#cpu[1] && atMs - this.#cpu[1].atMs >= minuteMs) this.#cpu.shift();
    const isWholeMinute = atMs - (this.#cpu[0]?.atMs ?? atMs) >= nearlyAMinuteMs;
    const percent = this.throttledPercent;
    if (!isWholeMinute || percent < throttledFromPercent) return [];
    if (atMs - this.#throttledToldMs < minuteMs) return [];
    this.#throttledToldMs = atMs;
    return [{ kind: "cpu", percent }];
  }

  #takeSpace(space: DiskSpace): Sighting[] {
    const { usedBytes, freeBytes, freeInodes } = space;
    const share = usedBytes / Math.max(1, usedBytes + freeBytes);
    const wasFull = this.#isFull;
    if (share >= fullFrom || freeInodes === 0) this.#isFull = true;
    else if (share < notFullBelow) this.#isFull = false;
    return this.#isFull && !wasFull ? [{ kind: "disk", space }] : [];
  }
}

/** By how much a counter has grown; one that fell has begun anew. */
function grown(before: number | undefined, now: number): number {
  if (before === undefined) return 0;
  return now >= before ? now - before : now;
}
