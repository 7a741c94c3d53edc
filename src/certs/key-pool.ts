import { generateKeyPair } from "node:crypto";
import { promisify } from "node:util";
import type { Log } from "../lib/log.js";
import { FreshKey } from "./key.js";

export interface KeyPoolOptions {
  log: Log;
  /** Keys to hold ready, 0 or more. A create takes two: the server's and the first client's. */
  size?: number;
  /** Rest before each background generation, so that the refill leaves a running create its CPU. */
  pauseMs?: number;
  /** Wait after a failed background generation. */
  retryMs?: number;
  generate?: () => Promise<FreshKey>;
}

const generateNative = promisify(generateKeyPair);

/**
 * An RSA-2048 key from node:crypto's generator, on libuv's thread pool: 60 to 270 ms of one core,
 * none of it on the event loop. (2048 bits: what NIST SP 800-57 allows until 2030; twice the bits
 * take five to ten times as long, for certificates of one day.)
 */
export async function generateKey(): Promise<FreshKey> {
  const { privateKey, publicKey } = await generateNative("rsa", { modulusLength: 2048 });
  return new FreshKey(privateKey, publicKey);
}

/**
 * RSA keys made in the background, one at a time, so that no request waits for one.
 * An idle pool costs nothing and never keeps the process alive; a generation under way does until
 * it is over, a quarter of a second at most.
 */
export class KeyPool {
  readonly #log: Log;
  readonly #size: number;
  readonly #pauseMs: number;
  readonly #retryMs: number;
  readonly #generate: () => Promise<FreshKey>;
  #keys: FreshKey[] = [];
  #running = false;
  #generating = false;
  #timer: NodeJS.Timeout | undefined;
  #waiting: (() => void)[] = [];

  constructor(options: KeyPoolOptions) {
    this.#log = options.log;
    this.#size = options.size ?? 12;
    this.#pauseMs = options.pauseMs ?? 250;
    this.#retryMs = options.retryMs ?? 30_000;
    this.#generate = options.generate ?? generateKey;
  }

  /** Keys that can be taken without waiting, 0 to size; for a gauge. */
  get available(): number {
    return this.#keys.length;
  }

  get size(): number {
    return this.#size;
  }

  /** Begins to fill the pool. Without it, `take` still works and generates each key. */
  start(): void {
    this.#running = true;
    this.#schedule(this.#pauseMs);
  }

  /** A key nobody else has: from the pool, or generated now when the pool is empty. */
  async take(): Promise<FreshKey> {
    const key = this.#keys.shift();
    this.#schedule(this.#pauseMs);
    return key ?? (await this.#generate());
  }

  /** Resolves when the pool is full or has been stopped. Needs `start`; keeps the process alive meanwhile. */
  async ready(): Promise<void> {
    if (this.#keys.length >= this.#size) return;
    this.#timer?.ref();
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Ends the refill and forgets the keys. */
  stop(): void {
    this.#running = false;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#keys = [];
    this.#wake();
  }

  #schedule(delayMs: number): void {
    const busy = this.#generating || this.#timer !== undefined;
    if (!this.#running || busy || this.#keys.length >= this.#size) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#refill();
    }, delayMs);
    if (this.#waiting.length === 0) this.#timer.unref();
  }

  async #refill(): Promise<void> {
    let delayMs = this.#pauseMs;
    this.#generating = true;
    try {
      const key = await this.#generate();
      if (this.#running) this.#keys.push(key);
    } catch (error) {
      delayMs = this.#retryMs;
      this.#log.warn({ err: error, retryMs: delayMs }, "no key could be generated; will retry");
    }
    this.#generating = false;
    if (this.#keys.length >= this.#size) this.#wake();
    this.#schedule(delayMs);
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
