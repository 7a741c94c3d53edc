import { announce, byId, setText } from "./dom.js";

/** The notice that the server does not answer, shared by everything that keeps asking it. */
export class Connection {
  readonly #lost = new Set<string>();
  readonly #notice = byId("offline", HTMLDivElement);

  /** `asker` (the list, one stream of events) got an answer, or got none. */
  set(asker: string, connected: boolean): void {
    const wasLost = this.#lost.size > 0;
    if (connected) this.#lost.delete(asker);
    else this.#lost.add(asker);
    const isLost = this.#lost.size > 0;
    setText(this.#notice, isLost ? "Connection to Berth lost, trying again…" : "");
    if (wasLost && !isLost) announce("Connected again.");
  }

  /** Forgets every asker: on sign-out. */
  clear(): void {
    this.#lost.clear();
    setText(this.#notice, "");
  }
}
