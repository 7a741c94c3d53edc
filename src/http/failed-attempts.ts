import type { Request } from "express";
import { ipKeyGenerator, MemoryStore, type Options } from "express-rate-limit";
import { BerthError, codeOf } from "../lib/errors.js";

const windowMs = 60_000;
const limit = 60;

/**
 * Failed attempts to name a token, per address. Guessing is hopeless at 256 bits, but each guess may
 * cost a scrypt. Requests with a valid token count nothing, however many are open at once: whole
 * classes sit behind one address, and an events stream lasts for hours.
 */
export class FailedAttempts {
  readonly #store = new MemoryStore();

  constructor() {
    // Of the options, the store reads this one.
    this.#store.init({ windowMs } as Options);
  }

  /**
   * Passes on what `identify` gives.
   * @param isKnown whether the request's token was recognised before: it is never refused, since
   *   others' failures behind the same address are not its owner's
   * @throws BerthError RATE_LIMITED, without asking, after too many failures
   */
  async guard<T>(request: Request, isKnown: boolean, identify: () => Promise<T>): Promise<T> {
    if (isKnown) return identify();
    const key = ipKeyGenerator(request.ip ?? "");
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
