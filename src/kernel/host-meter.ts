import { readFile, statfs } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";

/** A shorter time than this says little of how busy the processors are. */
const shortestMs = 1_000;
/** proc(5), /proc/stat: user nice system idle iowait irq softirq steal; guest time is in the first two. */
const idle = 3;
const ioWait = 4;
const counted = 8;

interface Ticks {
  atMs: number;
  busy: number;
  all: number;
}

export interface HostReading {
  at: string;
  memory: { totalBytes: number; usedBytes: number };
  cpu: { cores: number; usedCores: number };
  disk: { totalBytes: number; usedBytes: number };
}

/** What the machine has and uses. */
export class HostMeter {
  readonly #dataDir: string;
  readonly #proc: string;
  readonly #now: () => Date;
  #ticks: Ticks | undefined;
  #usedCores = 0;

  /** @param options.dataDir lies on the file system that is measured */
  constructor(options: { dataDir: string; proc?: string; now?: () => Date }) {
    this.#dataDir = options.dataDir;
    this.#proc = options.proc ?? "/proc";
    this.#now = options.now ?? (() => new Date());
  }

  async read(): Promise<HostReading> {
    const [memory, usedCores, disk] = await Promise.all([
      this.#memory(),
      this.#cores(),
      statfs(this.#dataDir),
    ]);
    return {
      at: this.#now().toISOString(),
      memory,
      cpu: { cores: availableParallelism(), usedCores },
      disk: {
        totalBytes: disk.blocks * disk.bsize,
        usedBytes: (disk.blocks - disk.bfree) * disk.bsize,
      },
    };
  }

  async #memory(): Promise<HostReading["memory"]> {
    const text = await readFile(join(this.#proc, "meminfo"), "utf8");
    const bytes = (name: string) =>
      1024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? 0);
    const totalBytes = bytes("MemTotal");
    return { totalBytes, usedBytes: totalBytes - bytes("MemAvailable") };
  }

  /** Since it was asked last, but a second at least; since the machine's start for the first. */
  async #cores(): Promise<number> {
    const text = await readFile(join(this.#proc, "stat"), "utf8");
    const numbers = (/^cpu +([\d ]+)/.exec(text)?.[1] ?? "")
      .split(" ")
      .map(Number)
      .slice(0, counted);
    const all = numbers.reduce((sum, one) => sum + one, 0);
    const busy = all - (numbers[idle] ?? 0) - (numbers[ioWait] ?? 0);
    const atMs = this.#now().getTime();
    const before = this.#ticks ?? { atMs: -Infinity, busy: 0, all: 0 };
    if (atMs - before.atMs < shortestMs || all <= before.all) return this.#usedCores;
    this.#ticks = { atMs, busy, all };
    const share = Math.max(0, busy - before.busy) / (all - before.all);
    this.#usedCores = Math.round(100 * share * availableParallelism()) / 100;
    return this.#usedCores;
  }
}
