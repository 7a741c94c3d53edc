import { readFile } from "node:fs/promises";
import { z } from "zod";
import { ignoring } from "../../lib/errors.js";
import { KeyedMutex } from "../../lib/keyed-mutex.js";
import { parseStrictly } from "../../lib/strict-issues.js";
import { writeWhole } from "../../lib/write-whole.js";

const fileSchema = z.record(z.string().max(64), z.number());

/**
 * Sessions that were ended before their time: a cookie that was copied must not outlive the sign-out.
 * Kept until the session would have been over by itself, through restarts as well.
 */
export class EndedSessions {
  readonly #untilMs = new Map<string, number>();
  readonly #writing = new KeyedMutex();

  constructor(
    private readonly path: string,
    private readonly now: () => Date,
  ) {}

  /** @throws BerthError RECORD_INVALID: who signed out must not be in again because a file is damaged */
  async load(): Promise<void> {
    const text = await ignoring(readFile(this.path, "utf8"), "ENOENT");
    if (text === undefined) return;
    const json = jsonOf(text);
    const ended = parseStrictly(fileSchema, json, this.path, "RECORD_INVALID");
    for (const [id, untilMs] of Object.entries(ended)) this.#untilMs.set(id, untilMs);
  }

  has(id: string): boolean {
    return this.#untilMs.has(id);
  }

  /** Counts at once; resolves when it is written. */
  async add(id: string, untilMs: number): Promise<void> {
    this.#untilMs.set(id, untilMs);
    const nowMs = this.now().getTime();
    for (const [other, until] of this.#untilMs) if (until < nowMs) this.#untilMs.delete(other);
    await this.#writing.run("file", () =>
      writeWhole(this.path, JSON.stringify(Object.fromEntries(this.#untilMs)) + "\n"),
    );
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
