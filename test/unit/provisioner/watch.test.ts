import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { BerthError } from "../../../src/lib/errors.js";
import type { KernelCounters, KernelMessage } from "../../../src/lib/model.js";
import { TestBerth } from "../../fakes/berth.js";
import { calmCounters, containerIdOf } from "../../fakes/host.js";

let berth: TestBerth;
let id: string;
let stop: () => void;
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  berth = await TestBerth.start();
  stop = berth.provisioner.observe();
  ({ id } = await berth.create("ann"));
});
afterEach(async () => {
  stop();
  vi.useRealTimers();
  await berth.stop();
});

const texts = (of = id) => berth.provisioner.incidents.of(of).map(({ text }) => text.split(";")[0]);
const asked = (call: string) => berth.host.calls.filter((name) => name === call).length;

/** Five seconds later. */
async function sample(change: (counters: KernelCounters) => void = () => undefined) {
  const counters = berth.host.counters.get(id) ?? calmCounters();
  change(counters);
  berth.host.counters.set(id, counters);
  berth.later(5_000);
  await berth.provisioner.lookNow();
}

const kill = (limit: "sandbox" | "inner" = "sandbox"): KernelMessage => ({
  kind: "oom-kill",
  containerId: containerIdOf(id),
  limit,
  task: "tail",
});

/** A line of the kernel's log; resolves when it has become an incident. */
async function log(message: KernelMessage, of = id): Promise<void> {
  const known = () => JSON.stringify(berth.provisioner.incidents.of(of));
  const before = known();
  berth.host.logKernel(message);
  await vi.waitUntil(() => known() !== before, { interval: 1 });
}

describe("the watch over sandboxes", () => {
  it("tells what the log says of one, at once, and does not tell it again by the counters", async () => {
    await log(kill());
    expect(texts()).toEqual(["tail was killed at 1.0 of 1.0 GiB memory"]);
    await sample(({ memory }) => (memory.kills = 1));
    await sample();
    await sample();
    expect(berth.provisioner.incidents.of(id)).toMatchObject([{ count: 1 }]);
  });

  it("tells by the counters alone where there is no log", async () => {
    await sample(({ memory }) => (memory.kills = 2));
    await sample();
    expect(texts()[0]).toMatch(/^a process was killed/);
    expect(berth.provisioner.incidents.of(id)).toMatchObject([{ count: 2 }]);
  });

  it("finds the one it happened to, and passes over containers of others", async () => {
    const other = await berth.create("bob");
    berth.host.logKernel({ ...kill(), containerId: "f".repeat(64) });
    await log({ ...kill("inner"), containerId: containerIdOf(other.id) }, other.id);
    expect([texts(), texts(other.id).length]).toEqual([[], 1]);
  });

  it("tells a full disk, and refused forks of sandbox and container apart", async () => {
    berth.host.spaces.set(id, { usedBytes: 2 ** 30, freeBytes: 0, freeInodes: 9 });
    await sample();
    const fork = { kind: "fork-rejected", containerId: containerIdOf(id), inner: true } as const;
    await log(fork);
    await sample(({ pids }) => (pids.current = 510));
    await log(fork);
    expect(texts()).toEqual([
      "the disk is full: 1.0 of 1.0 GiB",
      "a container reached a limit of processes of its own",
      "the limit of 512 processes was reached",
    ]);
  });

  it("tells a minute of waiting for the CPU limit, and what it measures as usage", async () => {
    for (let i = 0; i < 12; i++) {
      await sample(({ cpu }) => {
        cpu.periods += 50;
        cpu.throttledPeriods += 30;
      });
    }
    expect(texts()).toEqual([
      "its processes had to wait for the CPU limit (1.5 cores) 60 % of the last minute",
    ]);
    await sample(({ memory, pids }) => {
      memory.kills = 3;
      pids.limitHits = 4;
    });
    const usage = await berth.provisioner.usage(id);
    expect(usage).toMatchObject({ memory: { kills: 3 }, pids: { limitHits: 4 } });
    expect(usage.cpu.throttledPercent).toBeGreaterThan(40);
    expect(usage.disk).toMatchObject({ freeInodes: 100_000 });
  });

  it("asks the engine for a container once, and again when it was started anew", async () => {
    berth.host.calls.length = 0;
    await sample();
    await sample();
    expect(asked("engine.facts")).toBe(1);
    const keepAlive = berth.provisioner.keepAlive();
    const ready = new Promise<void>((resolve) => {
      berth.provisioner.events.onAny((_, { type, data }) => {
        if (type === "state" && data.state === "ready") resolve();
      });
    });
    berth.host.stopContainer(id);
    await ready;
    berth.host.calls.length = 0;
    await sample();
    expect(asked("engine.facts")).toBe(1);
    keepAlive();
  });

  it("asks an engine that is away once per turn, and goes on when it is back", async () => {
    await berth.create("bob");
    berth.host.calls.length = 0;
    berth.host.failAt("engine.facts", new BerthError("ENGINE_UNREACHABLE", "away"));
    for (const turn of [1, 2, 3]) {
      await berth.provisioner.lookNow();
      expect(asked("engine.facts")).toBe(turn);
    }
    berth.host.heal();
    await sample();
    expect(asked("engine.facts")).toBe(5);
  });

  it("looks every five seconds, and never twice at once", async () => {
    berth.host.calls.length = 0;
    const hang = berth.host.hangAt("kernel.counters");
    vi.advanceTimersByTime(5_000);
    await hang.reached;
    vi.advanceTimersByTime(15_000);
    expect(asked("kernel.counters")).toBe(1);
    hang.release();
    await berth.provisioner.lookNow();
    vi.advanceTimersByTime(5_000);
    await berth.provisioner.lookNow();
    expect(asked("kernel.counters")).toBe(2);
  });

  it("takes for no news what happened before the daemon's start", async () => {
    await sample(({ memory }) => (memory.kills = 5));
    stop();
    await berth.restart();
    stop = berth.provisioner.observe();
    await sample();
    await sample();
    await sample();
    expect(texts()).toEqual([]);
    expect((await berth.provisioner.usage(id)).memory.kills).toBe(5);
  });

  it("ends", () => {
    stop();
    berth.host.calls.length = 0;
    expect(berth.host.kernelListeners).toBe(0);
    vi.advanceTimersByTime(60_000);
    expect(asked("engine.facts")).toBe(0);
  });
});
