import { spawn } from "node:child_process";
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { codeOf, messageOf } from "../lib/errors.js";
import type { Log } from "../lib/log.js";
import type { KernelMessage } from "../lib/model.js";
import { messageIn, parseRecord } from "./log-records.js";

const firstPauseMs = 1_000;
const longestPauseMs = 300_000;
/** Above the longest record the kernel writes (8 KiB). */
const recordBytes = 16_384;

/**
 * Follows the kernel's log and calls back for each record from now on that tells of a sandbox; returns
 * the stop. Where the log cannot be read that is said once, and tried again after longer and longer
 * pauses.
 * @param from for tests
 */
export function followKernelLog(
  onMessage: (message: KernelMessage) => void,
  log: Log,
  from: { file: string; pauseMs: number } = { file: "/dev/kmsg", pauseMs: firstPauseMs },
): () => void {
  const stop = new AbortController();
  /** Number of the last record that is done with. */
  let last: number | undefined;
  let pauseMs = from.pauseMs;
  let hasComplained = false;
  void follow();
  return () => {
    stop.abort();
  };

  async function follow(): Promise<void> {
    while (!stop.signal.aborted) {
      const why = await readUntilItEnds().catch(messageOf);
      if (isStopped()) return;
      const fields = { file: from.file, reason: why };
      if (hasComplained) log.debug(fields, "the kernel's log broke off again");
      else log.warn(fields, "the kernel's log cannot be followed: incidents name no process");
      hasComplained = true;
      await delay(pauseMs, undefined, { signal: stop.signal, ref: false }).catch(() => undefined);
      pauseMs = Math.min(pauseMs * 2, longestPauseMs);
    }
  }

  /** By a child process: a read that waits for the next record would hold one of Node's few threads. */
  async function readUntilItEnds(): Promise<string> {
    last ??= await newestRecord(from.file);
    if (isStopped()) return "stopped";
    const child = spawn("/bin/cat", [from.file], { stdio: ["ignore", "pipe", "ignore"], env: {} });
    const end = () => child.kill();
    stop.signal.addEventListener("abort", end);
    try {
      const ended = new Promise<string>((resolve) => {
        child.once("error", (error) => {
          resolve(error.message);
        });
        child.once("close", (code, signal) => {
          resolve(`its reader ended (${signal ?? `status ${code}`})`);
        });
      });
      for await (const line of createInterface({ input: child.stdout })) take(line);
      return await ended;
    } finally {
      stop.signal.removeEventListener("abort", end);
      child.kill();
    }
  }

  function take(line: string): void {
    const record = parseRecord(line);
    // Each new reader begins with the oldest record the kernel still has.
    if (!record || record.sequence <= (last ?? -1) || isStopped()) return;
    last = record.sequence;
    pauseMs = from.pauseMs;
    const message = messageIn(record);
    if (message) onMessage(message);
  }

  // A function, because TypeScript believes that `aborted` cannot change between two looks.
  function isStopped(): boolean {
    return stop.signal.aborted;
  }
}

/**
 * Number of the newest record, -1 when there is none. By number rather than by time: the log's clock
 * drifts away from any that a process can read.
 */
async function newestRecord(file: string): Promise<number> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  const buffer = Buffer.alloc(recordBytes);
  let newest = -1;
  try {
    for (;;) {
      const bytes = await readOne();
      if (bytes === 0) return newest;
      const record = parseRecord(buffer.toString("latin1", 0, bytes).split("\n")[0] ?? "");
      newest = record?.sequence ?? newest;
    }
  } finally {
    await handle.close();
  }

  /** One record into the buffer, its length; 0 when there is no more. */
  async function readOne(): Promise<number> {
    for (;;) {
      try {
        return (await handle.read(buffer, 0, buffer.length, null)).bytesRead;
      } catch (error) {
        if (codeOf(error) === "EAGAIN") return 0;
        // The record was overwritten meanwhile; the next read gives the oldest there is.
        if (codeOf(error) !== "EPIPE") throw error;
      }
    }
  }
}
