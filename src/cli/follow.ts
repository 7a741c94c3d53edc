import { BerthError } from "../lib/errors.js";
import type { SandboxEvent } from "./events.js";
import type { Progress } from "./progress.js";
import { problemError } from "./transport.js";

/**
 * Shows each step of a creation until the sandbox is ready. Rejects with what made it fail, or with
 * DAEMON_UNREACHABLE when the events end before the creation does.
 */
export async function followCreation(
  events: AsyncIterable<SandboxEvent>,
  progress: Progress,
): Promise<void> {
  try {
    for await (const event of events) {
      if (event.event === "step") showStep(event, progress);
      else if (event.state === "removing") progress.started("taking back");
      else if (hasEnded(event)) return;
    }
  } catch (error) {
    if (error instanceof BerthError) throw error;
    throw new BerthError("DAEMON_UNREACHABLE", "the connection broke", { cause: error });
  }
  throw new BerthError("DAEMON_UNREACHABLE", "its events ended early");
}

function showStep(event: SandboxEvent & { event: "step" }, progress: Progress): void {
  if (event.status === "started") progress.started(event.step);
  else progress[event.status](event.step, event.ms);
}

/** true when ready; throws when it will never be. */
function hasEnded(event: SandboxEvent & { event: "state" }): boolean {
  switch (event.state) {
    case "creating":
    case "removing":
      // A failed creation takes back what it made before it says why it failed.
      return false;
    case "ready":
      return true;
    case "failed":
    case "stopped":
    case "removed": {
      if (event.problem) throw problemError(event.problem);
      const why = event.reason === undefined ? "" : `: ${event.reason}`;
      throw new BerthError(
        event.state === "failed" ? "ENGINE_START_FAILED" : "CREATE_CANCELLED",
        `the sandbox is ${event.state} before it was ready${why}`,
      );
    }
  }
}
