import { ApiError, isPassing, type Api } from "./api.js";
import type { Card } from "./card.js";
import type { Connection } from "./connection.js";
import { announce } from "./dom.js";
import { follow } from "./follow.js";
import { forgetCreation, saveCreation } from "./session.js";
import type { ServerSentEvent } from "./sse.js";
import type { Problem, Sandbox, StateEvent, StepEvent } from "./types.js";

const unknownEnd: Problem = {
  title: "It was not made",
  detail:
    "Berth no longer knows this sandbox. Try again; if it happens twice, ask who runs this server.",
  code: "",
};

/** Shows a creation on its card, step by step, until it is over one way or the other. */
export async function followCreation(
  card: Card,
  api: Api,
  connection: Connection,
  signal: AbortSignal,
): Promise<void> {
  const { id } = card.sandbox;
  let end: StateEvent | undefined;
  const take = ({ event, data }: ServerSentEvent) => {
    if (event === "step") card.steps.take(JSON.parse(data) as StepEvent);
    if (event === "state") {
      const state = JSON.parse(data) as StateEvent;
      // A creation that failed is "removing" while what was made is taken down.
      if (state.state !== "creating" && state.state !== "removing") end = state;
    }
    return end !== undefined;
  };
  try {
    await follow({
      open: (untilAborted) => api.events(id, untilAborted),
      take,
      isFinal: (error) => !isPassing(error),
      onConnected: (connected) => {
        connection.set(id, connected);
      },
      signal,
    });
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
    end = { state: "failed", problem: unknownEnd };
  } finally {
    connection.set(id, true);
  }
  if (end && !signal.aborted) await finish(card, api, end);
}

async function finish(card: Card, api: Api, end: StateEvent): Promise<void> {
  const { id } = card.sandbox;
  // Broken off by its user: no failure to tell of.
  if (card.isBeingRemoved || !card.element.isConnected) return;
  if (end.state === "failed" || end.state === "removed") {
    const detail = end.reason ?? unknownEnd.detail;
    const problem = { ...unknownEnd, detail, ...end.problem };
    card.fail(problem);
    saveCreation({ sandbox: card.sandbox, problem });
    return;
  }
  forgetCreation(id);
  // Should this one request fail, the next list knows more.
  const told: Sandbox = { ...card.sandbox, state: end.state };
  card.made(await api.get(id).catch(() => told), end.ms);
  if (end.state === "ready") announce(`${card.label} is ready.`);
}
