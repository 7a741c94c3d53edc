import { describe, expect, it } from "vitest";
import type { KernelCounters } from "../../../src/lib/model.js";
import { Observation } from "../../../src/provisioner/observation.js";
import { calmCounters } from "../../fakes/host.js";

const space = (usedPercent: number, freeInodes = 1000) => ({
  usedBytes: usedPercent * 10,
  freeBytes: (100 - usedPercent) * 10,
  freeInodes,
});

/** A sandbox sampled every five seconds. */
class Sampled {
  readonly observation: Observation;
  counters = calmCounters();
  space = space(10);
  #atMs = 0;

  constructor(options: { isNew?: boolean; isFull?: boolean } = {}) {
    this.observation = new Observation({ isNew: true, isFull: false, ...options });
  }

  take(change: (counters: KernelCounters) => void = () => undefined) {
    change(this.counters);
    this.#atMs += 5_000;
    const { counters, space } = this;
    return this.observation.take({ atMs: this.#atMs, counters: structuredClone(counters), space });
  }

  /** A minute of which this part is spent waiting. */
  minute(percent: number) {
    const seen = [];
    for (let i = 0; i < 12; i++) {
      const periods = 50;
      seen.push(
        ...this.take(({ cpu }) => {
          cpu.periods += periods;
          cpu.throttledPeriods += (periods * percent) / 100;
        }),
      );
    }
    return seen;
  }
}

describe("kills", () => {
  const killed = (times: number) => (counters: KernelCounters) =>
    void (counters.memory.kills += times);

  it("that only the counter knows are told a sample later, when no line of the log has come", () => {
    const sampled = new Sampled();
    expect(sampled.take(killed(2))).toEqual([]);
    expect(sampled.take()).toEqual([{ kind: "memory", limit: "unknown", times: 2 }]);
    expect(sampled.take()).toEqual([]);
    expect(sampled.observation.kills).toBe(2);
  });

  it.each(["before", "after"])("that the log tells of %s their count are told once", (when) => {
    const sampled = new Sampled();
    if (when === "before") sampled.observation.noteKill();
    expect(sampled.take(killed(1))).toEqual([]);
    if (when === "after") sampled.observation.noteKill();
    expect(sampled.take()).toEqual([]);
    expect(sampled.take()).toEqual([]);
    expect(sampled.observation.kills).toBe(1);
  });

  it("that the log leaves out of a flood are told all the same", () => {
    const sampled = new Sampled();
    sampled.observation.noteKill();
    sampled.take(killed(5));
    expect(sampled.take()).toEqual([{ kind: "memory", limit: "unknown", times: 4 }]);
  });

  it("that the log alone knows count too: on v1 the counter is that of one cgroup", () => {
    const sampled = new Sampled();
    for (let i = 0; i < 3; i++) sampled.observation.noteKill();
    expect([sampled.take(), sampled.take()]).toEqual([[], []]);
    expect(sampled.observation.kills).toBe(3);
  });

  it("from before the daemon's start are no news", () => {
    const sampled = new Sampled({ isNew: false });
    sampled.take(killed(7));
    expect(sampled.take()).toEqual([]);
    expect(sampled.observation.kills).toBe(7);
  });

  it("are counted from zero when the container was started again", () => {
    const sampled = new Sampled({ isNew: false });
    sampled.take(killed(7));
    sampled.observation.restart();
    sampled.counters = calmCounters();
    sampled.take(killed(1));
    expect(sampled.take()).toEqual([{ kind: "memory", limit: "unknown", times: 1 }]);
  });
});

describe("refused forks", () => {
  const seen = [{ kind: "pids", limit: "sandbox" }];

  it("are told for each sample that had some", () => {
    const sampled = new Sampled();
    const bomb = () => sampled.take(({ pids }) => (pids.limitHits += 40_000));
    expect([bomb(), bomb(), sampled.take()]).toEqual([seen, seen, []]);
    expect(sampled.observation.limitHits).toBe(80_000);
  });

  it("are taken from a full house where the kernel counts them elsewhere, once", () => {
    const sampled = new Sampled();
    const crowd = (current: number) => sampled.take(({ pids }) => (pids.current = current));
    expect([crowd(512), crowd(512), crowd(100), crowd(512)]).toEqual([seen, [], [], seen]);
    expect(sampled.observation.limitHits).toBe(2);
  });
});

describe("a crowd that came and went between two samples", () => {
  it("is taken from the peak, once", () => {
    const sampled = new Sampled();
    sampled.take();
    const peak = () => sampled.take(({ pids }) => (pids.peak = 512));
    expect([peak().length, peak().length]).toEqual([1, 0]);
  });

  it("tells the sandbox's limit from that of a container inside", () => {
    const { observation, counters } = new Sampled();
    const isCrowded = (change: object) => observation.isCrowded({ ...counters.pids, ...change });
    expect(isCrowded({})).toBe(false);
    expect(isCrowded({ current: 470 })).toBe(true);
    expect(isCrowded({ peak: 512 })).toBe(true);
    expect(isCrowded({ limit: Infinity, peak: 512 })).toBe(false);
  });

  it("is no news from before the daemon's start", () => {
    const sampled = new Sampled({ isNew: false });
    expect(sampled.take(({ pids }) => (pids.peak = 512))).toEqual([]);
  });
});

describe("a disk", () => {
  it("is full from 99 % on, and again only after it was below 95 %", () => {
    const sampled = new Sampled();
    const told = [98, 99, 100, 96, 99, 94, 99].map((percent) => {
      sampled.space = space(percent);
      return sampled.take().length;
    });
    expect(told).toEqual([0, 1, 0, 0, 0, 0, 1]);
  });

  it("is full without inodes, whatever its bytes", () => {
    const sampled = new Sampled();
    sampled.space = space(30, 0);
    expect(sampled.take()).toEqual([{ kind: "disk", space: space(30, 0) }]);
  });

  it("that has been told of before the daemon's start is not told of again", () => {
    const sampled = new Sampled({ isFull: true });
    sampled.space = space(100);
    expect(sampled.take()).toEqual([]);
  });
});

describe("the CPU limit", () => {
  it("is told of from a fifth of a whole minute on, once a minute", () => {
    const sampled = new Sampled();
    expect(sampled.minute(19)).toEqual([]);
    expect(sampled.observation.throttledPercent).toBe(19);
    const busy = new Sampled();
    const told = [busy.minute(43), busy.minute(43), busy.minute(43)].flat();
    expect(told[0]).toEqual({ kind: "cpu", percent: 43 });
    expect(told.length).toBeGreaterThanOrEqual(2);
    expect(told.length).toBeLessThanOrEqual(3);
  });

  it("is not told of for a short burst, however hard it was held back", () => {
    const sampled = new Sampled();
    for (let i = 0; i < 20; i++) sampled.take();
    const burst = sampled.take(({ cpu }) => {
      cpu.periods += 50;
      cpu.throttledPeriods += 50;
    });
    expect(burst).toEqual([]);
    expect(sampled.observation.throttledPercent).toBe(8);
  });

  it("is forgotten a minute after", () => {
    const sampled = new Sampled();
    sampled.minute(80);
    for (let i = 0; i < 13; i++) sampled.take();
    expect(sampled.observation.throttledPercent).toBe(0);
  });
});
