import { EventEmitter } from "node:events";
import type { IncidentEvent, StateEvent, Step, StepEvent } from "../lib/contract/sandbox.js";

export type SandboxEvent =
  | { type: "step"; data: StepEvent }
  | { type: "state"; data: StateEvent }
  | { type: "incident"; data: IncidentEvent };

/** How long the history of a removed sandbox can still be read: a creation's failure, mostly. */
const keptAfterRemovalMs = 600_000;
/** Enough for a creation and a long life; older events than these are dropped. */
const historyLength = 200;

/** What happens to sandboxes, in order: a history per sandbox and whoever listens now. */
export class SandboxEvents {
  readonly #histories = new Map<string, SandboxEvent[]>();
  readonly #owners = new Map<string, string>();
  readonly #emitter = new EventEmitter().setMaxListeners(0);
  readonly #now: () => Date;

  constructor(now: () => Date) {
    this.#now = now;
  }

  /** Begins the history of a sandbox that is being made for `owner`. */
  begin(id: string, owner: string, event: Omit<StateEvent, "at">): void {
    this.#owners.set(id, owner);
    this.state(id, event);
  }

  state(id: string, event: Omit<StateEvent, "at">): void {
    this.#add(id, { type: "state", data: { ...event, at: this.#at() } });
  }

  incident(id: string, event: IncidentEvent): void {
    this.#add(id, { type: "incident", data: event });
  }

  /** The last event of a sandbox that is gone: removed, or failed to come into being. */
  end(id: string, event: Omit<StateEvent, "at">): void {
    this.state(id, event);
    setTimeout(() => {
      this.#histories.delete(id);
      this.#owners.delete(id);
    }, keptAfterRemovalMs).unref();
  }

  /** Runs one step of a creation between its two events. */
  async step<T>(id: string, step: Step, act: () => Promise<T>): Promise<T> {
    const begun = performance.now();
    const tell = (status: StepEvent["status"]) => {
      const ms = status === "started" ? {} : { ms: Math.round(performance.now() - begun) };
      this.#add(id, { type: "step", data: { step, status, ...ms, at: this.#at() } });
    };
    tell("started");
    try {
      const result = await act();
      tell("done");
      return result;
    } catch (error) {
      tell("failed");
      throw error;
    }
  }

  /** Whose sandbox this was, also when it is gone since a short while. */
  ownerOf(id: string): string | undefined {
    return this.#owners.get(id);
  }

  /** Gives the history at once, then each event as it happens; returns the end of it. */
  follow(id: string, listener: (event: SandboxEvent) => void): () => void {
    for (const event of this.#histories.get(id) ?? []) listener(event);
    this.#emitter.on(id, listener);
    return () => this.#emitter.off(id, listener);
  }

  /** Each event of every sandbox. */
  onAny(listener: (id: string, event: SandboxEvent) => void): void {
    this.#emitter.on("*", listener);
  }

  #add(id: string, event: SandboxEvent): void {
    const history = this.#histories.get(id) ?? [];
    this.#histories.set(id, history);
    history.push(event);
    if (history.length > historyLength) history.shift();
    this.#emitter.emit(id, event);
    this.#emitter.emit("*", id, event);
  }

  #at(): string {
    return this.#now().toISOString();
  }
}
