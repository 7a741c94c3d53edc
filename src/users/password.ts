import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import { Semaphore } from "async-mutex";

const scryptAsync = promisify<string, Buffer, number, ScryptCost, Buffer>(scrypt);

interface ScryptCost {
  N: number;
  r: number;
  p: number;
  maxmem: number;
}

/** One of the settings that OWASP's Password Storage Cheat Sheet names: 32 MiB, three times over. */
const cost = { N: 2 ** 15, r: 8, p: 3, maxmem: 64 * 1024 ** 2 };

/** One at a time: each takes a thread that files are read by as well, and a fifth of a second of it. */
const hashing = new Semaphore(1);

/** What is kept of a password. */
export interface PasswordHash {
  /** base64. */
  salt: string;
  /** base64 of scrypt(password, salt). */
  hash: string;
}

export async function hashPassword(password: string): Promise<PasswordHash> {
  const salt = randomBytes(16);
  return { salt: salt.toString("base64"), hash: (await derive(password, salt)).toString("base64") };
}

/** What nobody's password is: a user who does not exist takes as long as one who does. */
const nobodys: PasswordHash = {
  salt: randomBytes(16).toString("base64"),
  hash: randomBytes(32).toString("base64"),
};

/** Whether it is the password kept; takes the same time for a wrong one, and for nobody's. */
export async function isPassword(password: string, kept?: PasswordHash): Promise<boolean> {
  const { salt, hash } = kept ?? nobodys;
  const found = await derive(password, Buffer.from(salt, "base64"));
  const expected = Buffer.from(hash, "base64");
  return found.length === expected.length && timingSafeEqual(found, expected) && Boolean(kept);
}

/** The same letter may be typed composed or decomposed (Unicode, NFKC). */
function derive(password: string, salt: Buffer): Promise<Buffer> {
  return hashing.runExclusive(() => scryptAsync(password.normalize("NFKC"), salt, 32, cost));
}
