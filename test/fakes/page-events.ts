import type { Response } from "express";
import { steps, type Sandbox } from "../../src/lib/contract/sandbox.js";

export interface Kept {
  sandbox: Sandbox;
  events: { event: string; data: object }[];
  readers: Set<Response>;
  /** How often a certificate was handed out. */
  bundles: number;
}

/** Sends an event to whoever reads the sandbox's, now and later. */
export function tell(kept: Kept, event: string, data: object): void {
  kept.events.push({ event, data });
  for (const reader of kept.readers) writeEvent(reader, { event, data });
}

export function openEvents(kept: Kept, response: Response): void {
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.flushHeaders();
  for (const event of kept.events) writeEvent(response, event);
  kept.readers.add(response);
  response.on("close", () => kept.readers.delete(response));
}

export const writeEvent = (
  response: Response,
  { event, data }: { event: string; data: object },
): boolean => response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A creation, step by step; true when it came to its end. */
export async function make(
  kept: Kept,
  stepMs: number,
  failingStep: string | undefined,
): Promise<boolean> {
  for (const step of steps) {
    tell(kept, "step", { step, status: "started", at: new Date().toISOString() });
    await pause(stepMs);
    const failed = step === failingStep;
    const at = new Date().toISOString();
    tell(kept, "step", { step, status: failed ? "failed" : "done", ms: stepMs, at });
    if (!failed) continue;
    // As Berth does: first what was made is taken down, then it says why.
    kept.sandbox = { ...kept.sandbox, state: "removing" };
    tell(kept, "state", { state: "removing", at });
    await pause(stepMs);
    return false;
  }
  kept.sandbox = { ...kept.sandbox, state: "ready" };
  tell(kept, "state", { state: "ready", ms: stepMs * steps.length, at: new Date().toISOString() });
  return true;
}

export function fail(kept: Kept): void {
  const detail = "the container died: <b>no space left</b> on /data";
  const problem = { code: "ENGINE_START_FAILED", detail };
  tell(kept, "state", { state: "failed", problem, at: new Date().toISOString() });
}
