import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Readable, Writable } from "node:stream";
import type { CliDeps, Terminal } from "../../../src/cli/deps.js";
import type { LocalVerbs } from "../../../src/cli/local.js";
import { runCli } from "../../../src/cli/run.js";
import { FakeApi } from "../../fakes/api-server.js";

export const now = new Date("2025-06-01T10:00:00.000Z");

/** What a command left behind for its caller. */
export interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

/** A fake daemon on a socket of its own, and `berth` command lines that find it there. */
export class Bench implements AsyncDisposable {
  readonly api = new FakeApi(now);
  #interrupts: (() => void)[] = [];

  private constructor(readonly dir: string) {}

  static async start(): Promise<Bench> {
    const bench = new Bench(await mkdtemp(path.join(tmpdir(), "berth-cli-")));
    await bench.api.listen(bench.socket);
    return bench;
  }

  get socket(): string {
    return path.join(this.dir, "berth.sock");
  }

  deps(overrides: Partial<CliDeps> = {}): Omit<CliDeps, "stdout" | "stderr"> & Partial<CliDeps> {
    return {
      version: "1.2.3",
      stdin: Readable.from([]),
      cwd: this.dir,
      home: path.join(this.dir, "home"),
      uid: 1000,
      now: () => now,
      connection: { socket: this.socket, embeddedStateFile: path.join(this.dir, "no-host.json") },
      local: unusedLocal,
      onInterrupt: (handler) => {
        this.#interrupts.push(handler);
        return () => {
          this.#interrupts = this.#interrupts.filter((other) => other !== handler);
        };
      },
      endWithin: () => undefined,
      ...overrides,
    };
  }

  /** Runs `berth` with these words. */
  async berth(words: string[], overrides: Partial<CliDeps> = {}): Promise<Outcome> {
    const stdout = new Recorder();
    const stderr = new Recorder();
    const code = await runCli(words, { stdout, stderr, ...this.deps(overrides) });
    return { code, stdout: stdout.text, stderr: stderr.text };
  }

  /** Ctrl-C. */
  interrupt(): void {
    for (const handler of [...this.#interrupts]) handler();
  }

  /** How many commands listen for Ctrl-C now. */
  get listeners(): number {
    return this.#interrupts.length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.api.close();
    await rm(this.dir, { recursive: true, force: true });
  }
}

export class Recorder extends Writable implements Terminal {
  text = "";
  isTTY = false;
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

export class TtyRecorder extends Recorder {
  override isTTY = true;
  columns = 80;
}

const unused = () => Promise.reject(new Error("no local verb was expected to run"));

export const unusedLocal: LocalVerbs = {
  serve: unused,
  reap: unused,
  clearHost: unused,
  doctor: unused,
  image: { build: unused, list: unused, remove: unused },
};
