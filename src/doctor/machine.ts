import { access, readdir, readFile } from "node:fs/promises";
import { ExecaError } from "execa";
import { codeOf, ignoring, messageOf } from "../lib/errors.js";
import { run } from "../lib/exec.js";

/** What the checks ask of the machine: few things, so that a test can stand in for all of it. */
export interface Machine {
  /** A file's text, without white space at its end; undefined when it is not there. */
  read(path: string): Promise<string | undefined>;
  exists(path: string): Promise<boolean>;
  /** Names in a directory; none when it is not there. */
  list(path: string): Promise<string[]>;
  /** Runs a program to its end, or to a deadline. */
  run(file: string, args: readonly string[]): Promise<Outcome>;
}

export type Outcome = { ok: true; stdout: string } | { ok: false; reason: Reason };

/** Why a program did not do it. */
export interface Reason {
  kind: "not installed" | "too slow" | "failed";
  /** What it said last. */
  text: string;
}

/** Far above what any of them takes; what the kernel keeps waiting must not keep the doctor. */
const programTimeoutMs = 10_000;
/** How long one that was told to end may take for it. */
const endingMs = 500;

export const thisMachine: Machine = {
  async read(path) {
    return (await ignoring(readFile(path, "utf8"), "ENOENT", "ENOTDIR"))?.trimEnd();
  },
  exists: (path) =>
    access(path).then(
      () => true,
      () => false,
    ),
  async list(path) {
    return (await ignoring(readdir(path), "ENOENT", "ENOTDIR")) ?? [];
  },
  run: (file, args) => runWithin(programTimeoutMs, file, args),
};

/** A program that ignores its end, or that the kernel keeps from it (a dead server's file system), is left behind. */
export async function runWithin(
  timeoutMs: number,
  file: string,
  args: readonly string[],
): Promise<Outcome> {
  const tooSlow: Reason = { kind: "too slow", text: `no end after ${timeoutMs / 1000} s` };
  const done = run(file, args, { timeout: timeoutMs }).then(
    (stdout): Outcome => ({ ok: true, stdout }),
    (error: unknown): Outcome => ({ ok: false, reason: reasonOf(error, tooSlow) }),
  );
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Outcome>((resolve) => {
    timer = setTimeout(resolve, timeoutMs + endingMs, { ok: false, reason: tooSlow });
  });
  const outcome = await Promise.race([done, late]);
  clearTimeout(timer);
  return outcome;
}

function reasonOf(error: unknown, tooSlow: Reason): Reason {
  if (codeOf(error) === "ENOENT") return { kind: "not installed", text: "it is not installed" };
  if (!(error instanceof ExecaError)) return { kind: "failed", text: messageOf(error) };
  if (error.timedOut) return tooSlow;
  const said = String(error.stderr).trim().split("\n").at(-1) ?? "";
  return { kind: "failed", text: said === "" ? error.shortMessage : said };
}

/** A number that the kernel tells in a file; undefined when there is no such file. */
export async function readNumber(machine: Machine, path: string): Promise<number | undefined> {
  const text = await machine.read(path);
  return text === undefined ? undefined : Number(text.trim().split(/\s+/)[0]);
}
