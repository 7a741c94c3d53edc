import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { BuildNotes } from "../../../src/image/build-notes.js";

let dataDir: string;
let now: Date;
let running: Set<number>;
const dir = () => join(dataDir, "builds");

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "berth-notes-"));
  now = new Date("2026-01-01T12:00:00Z");
  running = new Set([7, 8]);
});
afterEach(() => rm(dataDir, { recursive: true }));

const notesOf = (pid: number) =>
  new BuildNotes({
    dataDir,
    log: pino({ level: "silent" }),
    now: () => now,
    pid,
    isRunning: (one) => running.has(one),
  });
const daemon = () => notesOf(1);

const step = { phase: "collect", message: "sending postgres:17", seconds: 2 } as const;
const measures = { image: "postgres:17", bytes: 5, totalBytes: 10, secondsLeft: 3 };

/** A build that has told one step, until it is let go. */
async function begin(pid: number, profile?: string) {
  let resolve!: () => void;
  let reject!: (error: Error) => void;
  const build = notesOf(pid).during(profile, (tell) => {
    tell({ ...step, ...measures });
    return new Promise<void>((yes, no) => {
      resolve = yes;
      reject = no;
    });
  });
  await vi.waitFor(async () => {
    expect(await readdir(dir())).toContain(`${pid}.json`);
  });
  return { build, resolve, reject };
}

it("tells the daemon of a build in another process, until its end", async () => {
  expect(await daemon().read()).toEqual([]);
  const { build, resolve } = await begin(7, "db");
  expect(await daemon().read()).toEqual([
    {
      profile: "db",
      phase: "collect",
      message: "sending postgres:17",
      startedAt: "2026-01-01T12:00:00.000Z",
      ...measures,
    },
  ]);
  expect((await stat(join(dir(), "7.json"))).mode & 0o777).toBe(0o600);
  expect((await stat(dir())).mode & 0o777).toBe(0o700);
  resolve();
  await build;
  expect(await readdir(dir())).toEqual([]);
});

it("tells of several, and of one that fails no more", async () => {
  const first = await begin(7);
  now = new Date("2026-01-01T12:00:05Z");
  const second = await begin(8, "db");
  expect((await daemon().read()).map(({ profile }) => profile)).toEqual([undefined, "db"]);
  first.reject(new Error("it failed"));
  await expect(first.build).rejects.toThrow("it failed");
  expect(await daemon().read()).toMatchObject([{ profile: "db" }]);
  second.resolve();
  await second.build;
});

it("does not tell of a build that was killed, and the next one clears its note away", async () => {
  await begin(7, "db");
  running.delete(7);
  expect(await daemon().read()).toEqual([]);
  const next = await begin(8);
  next.resolve();
  await next.build;
  expect(await readdir(dir())).toEqual([]);
});

it("does not tell of one that has not been heard of for long: its number may be another's now", async () => {
  await begin(7, "db");
  now = new Date("2026-01-01T12:00:16Z");
  expect(await daemon().read()).toEqual([]);
});

it("writes on while a build has nothing new to say", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  try {
    const { build, resolve } = await begin(7);
    now = new Date("2026-01-01T12:01:00Z");
    vi.advanceTimersByTime(1_000);
    await vi.waitFor(async () => {
      expect(await daemon().read()).toHaveLength(1);
    });
    resolve();
    await build;
  } finally {
    vi.useRealTimers();
  }
});

it("leaves no note of a build that has nothing to do", async () => {
  await notesOf(7).during("db", () => Promise.resolve());
  expect(await daemon().read()).toEqual([]);
});

it("lets no build fail because of its note, and passes over what is none", async () => {
  await writeFile(dir(), "in the way");
  const done = notesOf(7).during(undefined, (tell) => {
    tell(step);
    return Promise.resolve("built");
  });
  expect(await done).toBe("built");
  await rm(dir());
  await mkdir(dir());
  for (const [file, text] of [
    ["9.json", "{"],
    ["x.json", "{}"],
    ["7.json", "{}"],
  ] as const) {
    await writeFile(join(dir(), file), text);
  }
  expect(await daemon().read()).toEqual([]);
});
