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
  async run(file, args) {
    try {
      return { ok: true, stdout: await run(file, args, { timeout: programTimeoutMs }) };
    } catch (error) {
      return { ok: false, reason: reasonOf(error) };
    }
  },
};

function reasonOf(error: unknown): Reason {
  if (codeOf(error) === "ENOENT") return { kind: "not installed", text: "it is not installed" };
  if (!(error instanceof ExecaError)) return { kind: "failed", text: messageOf(error) };
  if (error.timedOut)
    return { kind: "too slow", text: `no end after ${programTimeoutMs / 1000} s` };
  const said = String(error.stderr).trim().split("\n").at(-1) ?? "";
  return { kind: "failed", text: said === "" ? error.shortMessage : said };
}

/** A number that the kernel tells in a file; undefined when there is no such file. */
export async function readNumber(machine: Machine, path: string): Promise<number | undefined> {
  const text = await machine.read(path);
  return text === undefined ? undefined : Number(text.trim().split(/\s+/)[0]);
}
