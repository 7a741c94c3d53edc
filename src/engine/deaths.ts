import { setTimeout as delay } from "node:timers/promises";
import { createInterface } from "node:readline";
import type Docker from "dockerode";
import { z } from "zod";
import { messageOf } from "../lib/errors.js";
import type { Log } from "../lib/log.js";
import { labelNames } from "./container.js";

const deathEvent = z.object({
  Actor: z.object({ Attributes: z.record(z.string(), z.string()) }),
});

/** Between attempts to follow an engine that is away. */
const retryMs = 2_000;

/** Follows the engine's events and reports each sandbox whose container died; returns the stop. */
export function followDeaths(
  docker: Docker,
  installation: string,
  onDeath: (id: string) => void,
  log: Log,
): () => void {
  const stop = new AbortController();
  void follow();
  return () => {
    stop.abort();
  };

  async function follow(): Promise<void> {
    const stopped = () => stop.signal.aborted;
    while (!stopped()) {
      try {
        await readEvents();
      } catch (error) {
        if (!stopped()) log.debug({ reason: messageOf(error) }, "engine events broke off");
      }
      await delay(retryMs, undefined, { signal: stop.signal, ref: false }).catch(() => undefined);
    }
  }

  async function readEvents(): Promise<void> {
    const stream = await docker.getEvents({
      abortSignal: stop.signal,
      filters: {
        type: ["container"],
        event: ["die"],
        label: [`${labelNames.installation}=${installation}`],
      },
    });
    try {
      for await (const line of createInterface({ input: stream })) {
        const event = deathEvent.safeParse(JSON.parse(line));
        const id = event.data?.Actor.Attributes[labelNames.sandbox];
        if (id) onDeath(id);
      }
    } finally {
      (stream as unknown as { destroy: () => void }).destroy();
    }
  }
}
