import { defaults, seal, unseal } from "iron-webcrypto";
import type { z } from "zod";

/** Far above what any of ours takes; more is not looked at. */
const longestSeal = 4096;

/**
 * Texts that only this Berth can make and read: encrypted (AES-256-CBC) and authenticated
 * (HMAC-SHA-256), as `@hapi/iron` has it. What is sealed says itself how long it counts.
 */
export class Seals {
  readonly #key: string;

  /** @param key 256 bits in hex; iron takes 32 characters or more */
  constructor(key: string) {
    this.#key = key;
  }

  seal(value: object): Promise<string> {
    return seal(value, this.#key, { ...defaults, ttl: 0 });
  }

  /** What was sealed, or undefined for what was not sealed by us, or has another form. */
  async open<S extends z.ZodType>(
    schema: S,
    sealed: string | undefined,
  ): Promise<z.output<S> | undefined> {
    if (sealed === undefined || sealed.length > longestSeal) return undefined;
    try {
      return schema.parse(await unseal(sealed, this.#key, { ...defaults, ttl: 0 }));
    } catch {
      return undefined;
    }
  }
}
