import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { HostMeter } from "../../../src/kernel/host-meter.js";

let dir: string;
let now: Date;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "berth-meter-"));
  now = new Date("2026-01-01T12:00:00Z");
  await writeFile(
    join(dir, "meminfo"),
    "MemTotal:  4096 kB\nMemFree: 1 kB\nMemAvailable: 1024 kB\n",
  );
});
afterEach(() => rm(dir, { recursive: true }));

const ticks = (busy: number, idle: number) =>
  writeFile(join(dir, "stat"), `cpu  ${busy} 0 0 ${idle} 0 0 0 0 7 7\ncpu0 1 2 3 4\n`);

describe("the meter of the host", () => {
  it("tells memory that is used, not what is kept in case", async () => {
    await ticks(1, 1);
    const { memory, disk, at } = await new HostMeter({
      dataDir: dir,
      proc: dir,
      now: () => now,
    }).read();
    expect(memory).toEqual({ totalBytes: 4096 * 1024, usedBytes: 3072 * 1024 });
    expect(disk.usedBytes).toBeLessThanOrEqual(disk.totalBytes);
    expect(at).toBe("2026-01-01T12:00:00.000Z");
  });

  it("tells how busy the processors were since it was asked, not in the last moment", async () => {
    const cores = availableParallelism();
    const meter = new HostMeter({ dataDir: dir, proc: dir, now: () => now });
    const used = async () => (await meter.read()).cpu.usedCores;
    await ticks(500, 500);
    expect(await used()).toBe(cores * 0.5);
    now = new Date(now.getTime() + 5_000);
    await ticks(750, 1_250);
    expect(await used()).toBe(cores * 0.25);
    now = new Date(now.getTime() + 10);
    await ticks(760, 1_250);
    expect(await used()).toBe(cores * 0.25);
  });
});
