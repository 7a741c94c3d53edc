// A sandbox's events, gathered into what the page tells of them. Pure.

import type { ServerSentEvent } from "./sse.js";
import { freshSteps, withStep, type StepRow } from "./steps.js";
import type { Incident, StateEvent, StepEvent } from "./types.js";

export interface Story {
  steps: StepRow[];
  /** Whether any step was told: a server that started anew knows nothing of an old creation. */
  begun: boolean;
  /** The latest state that was told. */
  last?: StateEvent;
  /** How the creation ended: ready, failed or removed. */
  end?: StateEvent;
  incidents: Incident[];
}

export const freshStory = (): Story => ({ steps: freshSteps(), begun: false, incidents: [] });

/** `story` after one event; an event told twice changes nothing that counts. */
export function told(story: Story, { event, data }: ServerSentEvent): Story {
  const value = parsed(data);
  if (value === undefined) return story;
  if (event === "step") {
    return { ...story, begun: true, steps: withStep(story.steps, value as StepEvent) };
  }
  if (event === "incident") {
    return { ...story, incidents: [...story.incidents, value as Incident] };
  }
  return event === "state" ? withState(story, value as StateEvent) : story;
}

function withState(story: Story, state: StateEvent): Story {
  const isRemoved = state.state === "removed";
  // A creation that failed is "removing" while what was made is taken down.
  const isEnd = ["ready", "failed", "stopped"].includes(state.state);
  const end = story.end ?? (isEnd || isRemoved ? state : undefined);
  return { ...story, last: state, ...(end ? { end } : {}) };
}

/** Whether nothing more comes: the sandbox is gone, or its creation came to nothing. */
export const isOver = ({ last }: Story): boolean =>
  last?.state === "removed" || (last?.state === "failed" && last.problem !== undefined);

function parsed(data: string): unknown {
  try {
    return JSON.parse(data) as unknown;
  } catch {
    return undefined;
  }
}
