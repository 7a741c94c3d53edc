import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { text as wholeText } from "node:stream/consumers";
import { checked } from "./arguments.js";
import { UsageError, Interrupted } from "./failure.js";
import type { CliDeps } from "./deps.js";
import { password } from "../lib/contract/user.js";
import { messageOf } from "../lib/errors.js";

/**
 * A new password: typed twice at a terminal, where it does not show, or else all of stdin but the line
 * end. Never from the command line, which every user of the machine can read.
 */
export async function readNewPassword({ stdin, stderr }: CliDeps, user: string): Promise<string> {
  if (!stdin.isTTY) return mustBePassword((await wholeText(stdin)).replace(/\r?\n$/, ""));
  const first = mustBePassword(await ask(`New password for ${user}: `));
  if ((await ask("The same again: ")) === first) return first;
  throw new UsageError("the two are not the same; nothing was changed");

  async function ask(question: string): Promise<string> {
    stderr.write(question);
    const muted = new Writable({
      write: (_chunk, _encoding, done) => {
        done();
      },
    });
    const lines = createInterface({ input: stdin, output: muted, terminal: true });
    try {
      const stop = new AbortController();
      lines.once("SIGINT", () => {
        stop.abort();
      });
      return await lines.question("", { signal: stop.signal }).catch(() => {
        throw new Interrupted("nothing was changed");
      });
    } finally {
      lines.close();
      stderr.write("\n");
    }
  }
}

function mustBePassword(text: string): string {
  try {
    return checked(password)(text);
  } catch (error) {
    throw new UsageError(`the password: ${messageOf(error)}`);
  }
}
