import type { Terminal } from "./deps.js";
import { printable, widthOf } from "./output.js";

/**
 * Work under way, on stderr: a terminal sees what runs now in a line that changes; a file or a pipe
 * gets one line per finished step.
 */
export class Progress {
  #running: string[] = [];
  #lineOpen = false;

  constructor(private readonly stderr: Terminal) {}

  started(step: string): void {
    this.#running.push(step);
    this.#showRunning();
  }

  done(step: string, ms?: number): void {
    this.#ended(step, `${step.padEnd(12)} ${milliseconds(ms)}`);
  }

  failed(step: string, ms?: number): void {
    this.#ended(step, `${step.padEnd(12)} failed ${milliseconds(ms)}`);
  }

  /** Replaces the line of a step that tells how far it is; silent where nothing can be replaced. */
  update(text: string): void {
    if (this.stderr.isTTY) this.#live(text);
  }

  /** A line that stays. */
  line(text: string): void {
    this.clear();
    this.stderr.write(`${printable(text).trimEnd()}\n`);
    this.#showRunning();
  }

  /** Takes away the changing line, before something else is said. */
  clear(): void {
    if (this.#lineOpen) this.stderr.write("\r\u001b[K");
    this.#lineOpen = false;
  }

  #ended(step: string, text: string): void {
    this.#running = this.#running.filter((running) => running !== step);
    this.line(`  ${text}`);
  }

  #showRunning(): void {
    const step = this.#running.at(-1);
    if (step !== undefined && this.stderr.isTTY) this.#live(`  ${step} ...`);
  }

  #live(text: string): void {
    // A line that wraps could not be taken back.
    const width = widthOf(this.stderr, 80) - 1;
    this.stderr.write(`\r\u001b[K${printable(text).slice(0, width)}`);
    this.#lineOpen = true;
  }
}

function milliseconds(ms: number | undefined): string {
  return ms === undefined ? "" : `${Math.round(ms)} ms`;
}
