import { MemoryStore, type Options } from "express-rate-limit";
import { BerthError, codeOf } from "../lib/errors.js";

const windowMs = 60_000;
const limit = 60;

/** Failed attempts to name a token. Guessing is hopeless at 256 bits, but a guess may cost a scrypt. */
export class FailedAttempts {
  readonly #store = new MemoryStore();

  constructor() {
    // Of the options, the store reads this one.
    this.#store.init({ windowMs } as Options);
  }

  /**
   * Passes on what `identify` gives.
   * @param key whose failures count together
   * @throws BerthError RATE_LIMITED, without asking, after too many failures
   */
  async guard<T>(key: string, identify: () => Promise<T>): Promise<T> {
    const known = await this.#store.get(key);
    if (known && known.totalHits >= limit) {
      throw new BerthError(
        "RATE_LIMITED",
        "too many attempts without a valid token; wait a minute",
      );
    }
    try {
      return await identify();
    } catch (error) {
      if (codeOf(error) === "UNAUTHENTICATED") await this.#store.increment(key);
      throw error;
    }
  }
}
