import { createHash } from "node:crypto";

/** Tokens that scrypt has accepted, by their SHA-256: one scrypt per token and daemon, not per request. */
export class AcceptedTokens {
  readonly #owners = new Map<string, string>();

  ownerOf(token: string): string | undefined {
    return this.#owners.get(digestOf(token));
  }

  add(token: string, owner: string): void {
    this.#owners.set(digestOf(token), owner);
  }

  forget(owner: string): void {
    for (const [digest, one] of this.#owners) if (one === owner) this.#owners.delete(digest);
  }
}

const digestOf = (token: string): string => createHash("sha256").update(token).digest("base64");
