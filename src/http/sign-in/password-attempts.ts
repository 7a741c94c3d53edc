import type { Request } from "express";
import { ipKeyGenerator, MemoryStore, type Options } from "express-rate-limit";
import { BerthError } from "../../lib/errors.js";

const minuteMs = 60_000;

/**
 * How often a wrong password is heard. The first stops who guesses one user's; the second who tries one
 * password for many users (a whole class may sit behind one address); the last who guesses one user's
 * from many addresses. That one shuts nobody out of what they have: sessions and tokens go on.
 */
const counts = [
  {
    windowMs: 10 * minuteMs,
    limit: 10,
    keyOf: (address: string, user: string) => `${address} ${user}`,
  },
  { windowMs: 10 * minuteMs, limit: 100, keyOf: (address: string) => address },
  { windowMs: 60 * minuteMs, limit: 100, keyOf: (_address: string, user: string) => user },
];

/** Attempts to sign in by password: counted before they are looked at, so that many at once count too. */
export class PasswordAttempts {
  readonly #counts = counts.map(({ windowMs, ...count }) => {
    const store = new MemoryStore();
    // Of the options, the store reads this one.
    store.init({ windowMs } as Options);
    return { ...count, store };
  });

  /**
   * Passes on what `check` finds; what is undefined counts as failed.
   * @throws BerthError RATE_LIMITED, without a check
   */
  async guard<T>(
    request: Request,
    user: string,
    check: () => Promise<T | undefined>,
  ): Promise<T | undefined> {
    const address = ipKeyGenerator(request.ip ?? "");
    const counters = this.#counts.map(({ store, limit, keyOf }) => ({
      store,
      limit,
      key: keyOf(address, user),
    }));
    let isOver = false;
    for (const { store, limit, key } of counters) {
      const { totalHits } = await store.increment(key);
      isOver ||= totalHits > limit;
    }
    if (isOver) {
      throw new BerthError(
        "RATE_LIMITED",
        "too many attempts with a wrong password; wait ten minutes, or sign in by token",
      );
    }
    const found = await check();
    if (found !== undefined) for (const { store, key } of counters) await store.decrement(key);
    return found;
  }
}
