import type { Request } from "express";
import { ipKeyGenerator, MemoryStore, type Options } from "express-rate-limit";
import { BerthError } from "../../lib/errors.js";

const minuteMs = 60_000;

/**
 * How often a wrong password is heard. The first stops who guesses one user's; the second who tries one
 * password for many users (a whole class may sit behind one address); the last who guesses one user's
 * from many addresses.
 */
const counts = [
  {
    windowMs: 10 * minuteMs,
    limit: 10,
    wait: "ten minutes",
    keyOf: (address: string, user: string) => `${address} ${user}`,
  },
  {
    windowMs: 10 * minuteMs,
    limit: 100,
    wait: "ten minutes",
    keyOf: (address: string) => address,
  },
  {
    windowMs: 60 * minuteMs,
    limit: 100,
    wait: "an hour",
    keyOf: (_address: string, user: string) => user,
    /** Others' guesses do not shut a user out of where their password was right before. */
    isWaived: (isFamiliar: boolean) => isFamiliar,
  },
];

/** Attempts to sign in by password: counted before they are looked at, so that many at once count too. */
export class PasswordAttempts {
  readonly #counts = counts.map(({ windowMs, ...count }) => {
    const store = new MemoryStore();
    // Of the options, the store reads this one.
    store.init({ windowMs } as Options);
    return { ...count, store };
  });
  /** Address and user of each that went well since the start. */
  readonly #familiar = new Set<string>();

  /**
   * Passes on what `check` finds; what is undefined counts as failed. What is refused by one count does
   * not go into the others: one address alone cannot use up what is heard of a user.
   * @throws BerthError RATE_LIMITED, without a check
   */
  async guard<T>(
    request: Pick<Request, "ip">,
    user: string,
    check: () => Promise<T | undefined>,
  ): Promise<T | undefined> {
    const address = ipKeyGenerator(request.ip ?? "");
    const familiar = `${address} ${user}`;
    const counters = this.#counts
      .filter(({ isWaived }) => !isWaived?.(this.#familiar.has(familiar)))
      .map(({ keyOf, ...count }) => ({ ...count, key: keyOf(address, user) }));
    for (const { store, limit, key, wait } of counters) {
      const known = await store.get(key);
      if (known && known.totalHits >= limit) throw tooMany(wait);
    }
    for (const { store, limit, key, wait } of counters) {
      const { totalHits } = await store.increment(key);
      if (totalHits > limit) throw tooMany(wait);
    }
    const found = await check();
    if (found === undefined) return undefined;
    this.#familiar.add(familiar);
    for (const { store, key } of counters) await store.decrement(key);
    return found;
  }
}

const tooMany = (wait: string): BerthError =>
  new BerthError(
    "RATE_LIMITED",
    `too many attempts with a wrong password; wait ${wait}, or sign in by token`,
  );
