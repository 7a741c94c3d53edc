import { EventEmitter } from "node:events";
import type { HostEvent } from "../lib/contract/host.js";
import type { SandboxEvent, SandboxEvents } from "./events.js";
import type { Records } from "./records.js";

const kept = 500;

type Owner = Pick<HostEvent, "user" | "name">;

/** The last things that happened to any sandbox, for those who look after all of them. */
export class RecentEvents {
  readonly #recent: HostEvent[] = [];
  /** Whose a sandbox is, known until it is gone: its last event comes after its record. */
  readonly #owners = new Map<string, Owner>();
  readonly #emitter = new EventEmitter().setMaxListeners(0);
  readonly #records: Records;

  constructor(options: { events: SandboxEvents; records: Records }) {
    this.#records = options.records;
    options.events.onAny((id, event) => {
      this.#take(id, event);
    });
  }

  /** Newest first. */
  latest(limit: number): HostEvent[] {
    return this.#recent.slice(-limit).reverse();
  }

  /** Each as it happens from now on; returns the end of it. */
  follow(listener: (event: HostEvent) => void): () => void {
    this.#emitter.on("event", listener);
    return () => this.#emitter.off("event", listener);
  }

  #take(sandbox: string, event: SandboxEvent): void {
    const owner = this.#ownerOf(sandbox);
    if (event.type === "state" && isEnd(event.data)) this.#owners.delete(sandbox);
    const text = textOf(event);
    if (text === undefined) return;
    const told = { at: event.data.at, type: event.type, sandbox, ...owner, text, data: event.data };
    this.#recent.push(told);
    if (this.#recent.length > kept) this.#recent.shift();
    this.#emitter.emit("event", told);
  }

  #ownerOf(id: string): Owner {
    const known = this.#owners.get(id);
    if (known) return known;
    const record = this.#records.get(id);
    if (!record) return {};
    const owner = { user: record.user, name: record.name };
    this.#owners.set(id, owner);
    return owner;
  }
}

const isEnd = ({ state, problem }: { state: string; problem?: unknown }): boolean =>
  state === "removed" || problem !== undefined;

/** In words; undefined for what would drown the rest: the steps of creations that go well. */
function textOf(event: SandboxEvent): string | undefined {
  if (event.type === "incident") return event.data.text;
  if (event.type === "step") {
    return event.data.status === "failed" ? `failed at the step ${event.data.step}` : undefined;
  }
  const { state, ms, reason, problem } = event.data;
  const after = ms === undefined ? "" : ` after ${(ms / 1000).toFixed(1)} s`;
  const why = problem?.detail ?? reason;
  return `is ${state === "failed" && problem ? "not created" : state}${after}${why ? `: ${why}` : ""}`;
}
