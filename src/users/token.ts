import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";

const scryptAsync = promisify<Buffer, Buffer, number, { N: number; r: number; p: number }, Buffer>(
  scrypt,
);
/** OWASP's password-storage minimum is for passwords; a token has 256 random bits, so a small cost is enough. */
const cost = { N: 2 ** 14, r: 8, p: 1 };

/** What is kept of a token: enough to recognise it, not to use it. */
export interface TokenHash {
  /** The token's public part, by which its record is found without trying all. */
  id: string;
  /** base64. */
  salt: string;
  /** base64 of scrypt(secret, salt). */
  hash: string;
}

/** A new token, `berth_<id>_<secret>`, and what to keep of it. */
export async function createToken(): Promise<{ token: string; kept: TokenHash }> {
  const id = randomBytes(6).toString("hex");
  const secret = randomBytes(32);
  const salt = randomBytes(16);
  const hash = await scryptAsync(secret, salt, 32, cost);
  return {
    token: `berth_${id}_${secret.toString("base64url")}`,
    kept: { id, salt: salt.toString("base64"), hash: hash.toString("base64") },
  };
}

/** The public id and the secret of a token; undefined when it has not the form of one. */
export function parseToken(token: string): { id: string; secret: Buffer } | undefined {
  const match = /^berth_([0-9a-f]{12})_([A-Za-z0-9_-]{43})$/.exec(token);
  if (!match?.[1] || !match[2]) return undefined;
  return { id: match[1], secret: Buffer.from(match[2], "base64url") };
}

/** Whether the secret is the one kept; takes the same time either way. */
export async function matches(secret: Buffer, kept: TokenHash): Promise<boolean> {
  const hash = await scryptAsync(secret, Buffer.from(kept.salt, "base64"), 32, cost);
  const expected = Buffer.from(kept.hash, "base64");
  return hash.length === expected.length && timingSafeEqual(hash, expected);
}
