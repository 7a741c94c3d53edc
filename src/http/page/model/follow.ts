// Follows a stream of events across lost connections. The server replays the stream's history to
// every new reader, so nothing is lost between two connections; readers take an event twice.

import { readEvents, type ServerSentEvent } from "./sse.js";

export interface Following {
  /** Opens the stream anew. */
  open(signal: AbortSignal): Promise<ReadableStream<Uint8Array>>;
  /** Takes one event; true when it was the last of interest. */
  take(event: ServerSentEvent): boolean;
  /** Whether opening again after this error is of no use (signed out, gone). */
  isFinal(error: unknown): boolean;
  /** Called with false when the connection is lost, with true once it is back. */
  onConnected(connected: boolean): void;
  signal: AbortSignal;
  /** `waitFor`, unless a test holds the clock. */
  wait?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** Milliseconds before try number `attempt` (from 0): 0.5 s doubling to 8 s. */
export const backoffMs = (attempt: number) => 500 * 2 ** Math.min(attempt, 4);

/** Resolves after the last event of interest or when aborted; rejects with a final error. */
export async function follow(following: Following): Promise<void> {
  const { signal, wait = waitFor } = following;
  for (let attempt = 0; !signal.aborted; attempt++) {
    try {
      const body = await following.open(signal);
      following.onConnected(true);
      for await (const event of readEvents(body)) {
        attempt = -1;
        if (following.take(event)) return;
      }
    } catch (error) {
      if (isAborted(signal)) return;
      if (following.isFinal(error)) throw error;
    }
    if (isAborted(signal)) return;
    following.onConnected(false);
    await wait(backoffMs(Math.max(0, attempt)), signal);
  }
}

// A function, because TypeScript believes that `signal.aborted` cannot change within the loop.
const isAborted = (signal: AbortSignal) => signal.aborted;

/** Resolves after `ms`, or at once when aborted. */
export function waitFor(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
  });
}
