import { createParser } from "eventsource-parser";
import { z } from "zod";
import { stateEvent, stepEvent, type StateEvent, type StepEvent } from "../lib/contract/sandbox.js";
import { BerthError } from "../lib/errors.js";
import { jsonOf } from "./json.js";

export type SandboxEvent = ({ event: "step" } & StepEvent) | ({ event: "state" } & StateEvent);

/**
 * The events of a server-sent stream. Steps that are unknown here are skipped; of the states none
 * may be missed, since a caller waits for the last.
 */
export async function* readEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<SandboxEvent> {
  const arrived: { kind: string | undefined; data: unknown }[] = [];
  const parser = createParser({
    onEvent: ({ event, data }) => {
      arrived.push({ kind: event, data: jsonOf(data) });
    },
  });
  const decoder = new TextDecoder();
  for await (const chunk of body) {
    parser.feed(decoder.decode(chunk, { stream: true }));
    for (const { kind, data } of arrived.splice(0)) {
      const event = eventOf(kind, data);
      if (event) yield event;
    }
  }
}

function eventOf(kind: string | undefined, data: unknown): SandboxEvent | undefined {
  if (kind === "step") {
    const step = stepEvent.safeParse(data);
    return step.success ? { event: "step", ...step.data } : undefined;
  }
  if (kind !== "state") return undefined;
  const state = stateEvent.safeParse(data);
  if (state.success) return { event: "state", ...state.data };
  throw new BerthError(
    "INTERNAL",
    `an event of the daemon is not what this berth reads: ${z.prettifyError(state.error)}; are both of the same version?`,
  );
}
