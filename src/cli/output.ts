import type { Terminal } from "./deps.js";
import type { Failure } from "./failure.js";

/** What a command says: its result on stdout, all else on stderr. */
export class Output {
  #wroteDocument = false;

  constructor(
    readonly stdout: Terminal,
    readonly stderr: Terminal,
    /** `--json`: stdout gets exactly one JSON document. */
    private readonly wantsJson: () => boolean,
  ) {}

  get json(): boolean {
    return this.wantsJson();
  }

  /** The command's result: the document with `--json`, otherwise the lines. */
  result(document: unknown, lines: () => string[]): void {
    if (this.json) this.#document(document);
    else for (const line of lines()) this.stdout.write(`${printable(line)}\n`);
  }

  note(...lines: string[]): void {
    for (const line of lines) this.stderr.write(`${printable(line)}\n`);
  }

  /** Raw bytes to stdout; resolves when the other end has taken them. */
  async bytes(bytes: Buffer): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.stdout.write(bytes, (error) => {
        if (error) reject(error);
        else resolve();
      });
    });
  }

  /** Resolves when the other end has taken all that was written to stdout, or is gone. */
  async flushed(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.stdout.write("", () => {
        resolve();
      });
    });
  }

  failure({ code, message, issues, told }: Failure): void {
    if (!told) {
      this.note(`berth: ${message} (${code})`);
      const unsaid = issues.filter((issue) => !message.includes(issue.message));
      this.note(...unsaid.map(({ path, message }) => `  ${path ? `${path}: ` : ""}${message}`));
    }
    if (!this.json || this.#wroteDocument) return;
    this.#document({ error: { code, message, ...(issues.length ? { errors: issues } : {}) } });
  }

  #document(value: unknown): void {
    this.#wroteDocument = true;
    this.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
  }
}

/**
 * Without the control characters that steer a terminal: a message may carry the last log lines of
 * a sandbox, and those are its user's to choose.
 */
export function printable(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "");
}

/** Columns of a terminal; `otherwise` for what is none, or does not know (some report 0). */
export function widthOf({ columns }: Terminal, otherwise: number): number {
  return columns === undefined || columns === 0 ? otherwise : columns;
}
