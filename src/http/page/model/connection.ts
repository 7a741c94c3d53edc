import { Store } from "./store.js";

/** Whether the server answers, as seen by everything that keeps asking it. */
export class Connection {
  readonly #lost = new Set<string>();
  readonly isLost = new Store(false);

  /** `asker` (the list, one stream of events) got an answer, or got none. */
  set(asker: string, connected: boolean): void {
    if (connected) this.#lost.delete(asker);
    else this.#lost.add(asker);
    this.isLost.set(this.#lost.size > 0);
  }

  /** `asker` asks no more: what it last knew says nothing. */
  forget(asker: string): void {
    this.set(asker, true);
  }
}
