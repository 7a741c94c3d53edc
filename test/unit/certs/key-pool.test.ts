import { Writable } from "node:stream";
import { execa } from "execa";
import { pino } from "pino";
import { describe, expect, it, onTestFinished } from "vitest";
import { generateKey, KeyPool, type KeyPoolOptions } from "../../../src/certs/key-pool.js";
import type { FreshKey } from "../../../src/certs/key.js";
import { sharedKeys } from "./support.js";

/** A pool whose generations the test counts, fails and holds. */
function testPool(options: Partial<KeyPoolOptions> = {}) {
  const lines: string[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _, done) {
      lines.push(chunk.toString());
      done();
    },
  });
  const keys = sharedKeys(1);
  const seen = { generated: 0, atOnce: 0, mostAtOnce: 0, failures: 0 };
  const generate = async (): Promise<FreshKey> => {
    seen.mostAtOnce = Math.max(seen.mostAtOnce, ++seen.atOnce);
    const key = await keys.take();
    seen.atOnce--;
    seen.generated++;
    if (seen.failures-- > 0) throw new Error("no entropy");
    return key;
  };
  const log = pino(sink);
  const pool = new KeyPool({ log, pauseMs: 1, retryMs: 5, size: 3, generate, ...options });
  onTestFinished(() => {
    pool.stop();
  });
  return { pool, seen, lines };
}

describe("a key pool", () => {
  it("fills itself to its size, one key at a time", async () => {
    const { pool, seen } = testPool();
    expect(pool.available).toBe(0);
    pool.start();
    await pool.ready();
    expect(pool.available).toBe(3);
    expect(seen).toMatchObject({ generated: 3, mostAtOnce: 1 });
  });

  it("hands a key out without generating one, and makes up for it afterwards", async () => {
    const { pool, seen } = testPool();
    pool.start();
    await pool.ready();
    await pool.take();
    expect(seen.generated).toBe(3);
    expect(pool.available).toBe(2);
    await pool.ready();
    expect(pool.available).toBe(3);
    expect(seen.generated).toBe(4);
  });

  it("generates when it is empty or was never started", async () => {
    const { pool, seen } = testPool();
    await Promise.all([pool.take(), pool.take()]);
    expect(seen.generated).toBe(2);
    expect(pool.available).toBe(0);
  });

  it("logs a failed generation and tries again later", async () => {
    const { pool, seen, lines } = testPool();
    seen.failures = 2;
    pool.start();
    await pool.ready();
    expect(pool.available).toBe(3);
    expect(lines).toHaveLength(2);
    expect(lines[0]).toContain("no entropy");
  });

  it("hands the failure to the one who waits for a key", async () => {
    const { pool, seen } = testPool();
    seen.failures = 1;
    await expect(pool.take()).rejects.toThrow("no entropy");
  });

  it("forgets its keys when stopped, releases who waits, and still hands out fresh ones", async () => {
    const { pool } = testPool({ size: 1000 });
    pool.start();
    const waiting = pool.ready();
    pool.stop();
    await waiting;
    expect(pool.available).toBe(0);
    await expect(pool.take()).resolves.toBeDefined();
  });

  it("does not keep the process alive", async () => {
    const module = new URL("../../../src/certs/key-pool.ts", import.meta.url).href;
    const program = `
      const { KeyPool } = await import(${JSON.stringify(module)});
      new KeyPool({ log: console, pauseMs: 1_000_000 }).start();
    `;
    const args = ["--import", "tsx", "--input-type=module", "--eval", program];
    await execa("node", args, { timeout: 20_000 });
  }, 30_000);
});

it("generates RSA keys of 2048 bits, with the public half for node-forge", async () => {
  const key = await generateKey();
  expect(key.privateKey.asymmetricKeyDetails).toMatchObject({ modulusLength: 2048 });
  expect(key.publicKey.n.bitLength()).toBe(2048);
  expect(key.publicKey.e.toString()).toBe("65537");
  expect(key.pem).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
});
