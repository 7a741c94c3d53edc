import { Mutex } from "async-mutex";

/** One mutex per key (a sandbox's id, a user's name), kept only while somebody holds or awaits it. */
export class KeyedMutex {
  readonly #mutexes = new Map<string, { mutex: Mutex; users: number }>();

  async run<T>(key: string, act: () => Promise<T>): Promise<T> {
    const entry = this.#mutexes.get(key) ?? { mutex: new Mutex(), users: 0 };
    this.#mutexes.set(key, entry);
    entry.users++;
    try {
      return await entry.mutex.runExclusive(act);
    } finally {
      if (--entry.users === 0) this.#mutexes.delete(key);
    }
  }

  /** Resolves when everybody who holds or awaits one now is done. */
  async idle(): Promise<void> {
    await Promise.all([...this.#mutexes.values()].map(({ mutex }) => mutex.waitForUnlock()));
  }

  /** Whether somebody holds the key's mutex now. */
  held(key: string): boolean {
    return this.#mutexes.has(key);
  }
}
