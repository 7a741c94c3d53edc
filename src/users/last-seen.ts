import { readFile } from "node:fs/promises";
import { z } from "zod";
import { ignoring } from "../lib/errors.js";
import type { Log } from "../lib/log.js";
import { writeWhole } from "../lib/write-whole.js";

const fileSchema = z.record(z.string(), z.iso.datetime());

/** To the minute is as much as anybody needs, and how often it is written at most. */
const minuteMs = 60_000;

/** When each user was last seen, in one file: their records need not be written for it. */
export class LastSeen {
  readonly #path: string;
  readonly #log: Log;
  readonly #now: () => Date;
  readonly #seen = new Map<string, string>();
  #writing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: { path: string; log: Log; now: () => Date }) {
    this.#path = options.path;
    this.#log = options.log;
    this.#now = options.now;
  }

  /** What cannot be read is forgotten: nothing depends on it. */
  async load(): Promise<void> {
    try {
      const text = await ignoring(readFile(this.#path, "utf8"), "ENOENT");
      if (text === undefined) return;
      for (const [name, at] of Object.entries(fileSchema.parse(JSON.parse(text)))) {
        this.#seen.set(name, at);
      }
    } catch (error) {
      this.#log.warn({ path: this.#path, err: error }, "when users were last seen cannot be read");
    }
  }

  of(name: string): string | undefined {
    return this.#seen.get(name);
  }

  note(name: string): void {
    const now = this.#now();
    const before = Date.parse(this.#seen.get(name) ?? "");
    if (now.getTime() - before < minuteMs) return;
    this.#seen.set(name, now.toISOString());
    this.#writeSoon();
  }

  forget(name: string): void {
    if (this.#seen.delete(name)) this.#writeSoon();
  }

  /** Resolves when all is written. */
  async flush(): Promise<void> {
    if (this.#timer) {
      clearTimeout(this.#timer);
      this.#write();
    }
    await this.#writing;
  }

  #writeSoon(): void {
    this.#timer ??= setTimeout(() => {
      this.#write();
    }, minuteMs).unref();
  }

  #write(): void {
    this.#timer = undefined;
    const text = JSON.stringify(Object.fromEntries(this.#seen), null, 2) + "\n";
    this.#writing = (this.#writing ?? Promise.resolve())
      .then(() => writeWhole(this.#path, text))
      .catch((error: unknown) => {
        this.#log.warn(
          { path: this.#path, err: error },
          "when users were last seen is not written",
        );
      });
  }
}
