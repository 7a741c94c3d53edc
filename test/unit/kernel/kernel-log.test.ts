import { execFileSync } from "node:child_process";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterEach, beforeEach, expect, it } from "vitest";
import { followKernelLog } from "../../../src/kernel/kernel-log.js";
import { codeOf } from "../../../src/lib/errors.js";
import type { KernelMessage } from "../../../src/lib/model.js";

let dir: string;
let file: string;
let logged: { level: number; reason: string }[];
let told: string[];
let wake: () => void;
let stop: () => void;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "berth-kmsg-"));
  file = join(dir, "kmsg");
  logged = [];
  told = [];
  wake = () => undefined;
});
afterEach(() => {
  stop();
  rmSync(dir, { recursive: true });
});

const record = (sequence: number, id: string) =>
  `6,${sequence},${sequence * 1000},-;cgroup: fork rejected by pids controller in ` +
  `/berth.slice/berth-ann.slice/docker-${id.repeat(64)}.scope\n SUBSYSTEM=x\n`;

/** Each container is told of by the one letter of its id. */
function follow(): void {
  const write = (line: string) => {
    logged.push(JSON.parse(line) as (typeof logged)[number]);
    wake();
  };
  const onMessage = ({ containerId }: KernelMessage) => {
    told.push(containerId[0] ?? "");
    wake();
  };
  stop = followKernelLog(onMessage, pino({ level: "debug" }, { write }), { file, pauseMs: 1 });
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise<void>((resolve) => (wake = resolve));
}

it("tells what comes, but nothing that was there before, nor anything twice when it breaks off", async () => {
  // A file ends where /dev/kmsg waits: each time it is read again from its oldest record.
  writeFileSync(file, record(1, "a"));
  follow();
  await until(() => logged.length > 0);
  expect(told).toEqual([]);
  writeFileSync(file, record(1, "a") + record(2, "b"));
  await until(() => told.length === 1);
  writeFileSync(file, record(2, "b") + record(4, "c"));
  await until(() => told.length === 2);
  expect(told).toEqual(["b", "c"]);
});

/** What waits for more, as /dev/kmsg does, instead of the file; opened once its other end is read. */
async function pipe(): Promise<FileHandle> {
  await until(() => logged.length > 0);
  execFileSync("mkfifo", [`${file}.new`]);
  renameSync(`${file}.new`, file);
  return open(file, "w");
}

it("hears a record as it is written", async () => {
  writeFileSync(file, record(1, "a"));
  follow();
  const kmsg = await pipe();
  const complaints = logged.length;
  await kmsg.write(record(2, "b"));
  await until(() => told.length === 1);
  await kmsg.write(record(3, "c"));
  await until(() => told.length === 2);
  expect({ told, complaints: logged.length }).toEqual({ told: ["b", "c"], complaints });
  await kmsg.close();
});

it("says once that there is no kernel log, and follows it when it is there", async () => {
  follow();
  await until(() => logged.length >= 3);
  expect(logged.map(({ level }) => level > 20)).toEqual([true, false, false]);
  expect(logged[0]?.reason).toContain("ENOENT");
  writeFileSync(file, "");
  await until(() => logged.at(-1)?.reason.includes("ended") === true);
  writeFileSync(file, record(0, "d"));
  await until(() => told.length === 1);
});

it("ends its reader when it is stopped", async () => {
  writeFileSync(file, record(1, "a"));
  follow();
  const kmsg = await pipe();
  stop();
  const isRead = () =>
    kmsg.write(record(2, "b")).then(
      () => true,
      (error: unknown) => codeOf(error) !== "EPIPE",
    );
  while (await isRead());
  expect(told).toEqual([]);
  await kmsg.close();
});
