import { CommanderError } from "commander";
import { BerthError, messageOf, type Issue } from "../lib/errors.js";

/** 0 is done. */
export const exitCodes = {
  failed: 1,
  /** The command line itself is wrong; what the server refuses is a failure. */
  usage: 2,
  /** 128 + SIGINT, as a shell reports it. */
  interrupted: 130,
} as const;

/** A command line that no daemon needs to see. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** The person asked to stop. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}

/** An error as the CLI reports it. */
export interface Failure {
  exitCode: number;
  /** A code of src/lib/errors.ts, WRONG_USAGE, INTERRUPTED, or the system's own (ENOSPC). */
  code: string;
  message: string;
  issues: Issue[];
  /** commander has written its own line already. */
  told: boolean;
}

/** undefined: commander's way of saying that help or the version was asked for and shown. */
export function failureOf(error: unknown): Failure | undefined {
  const plain = { message: messageOf(error), issues: [], told: false };
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return undefined;
    const message = error.code === "commander.help" ? "a verb is missing" : usageText(error);
    return { ...plain, exitCode: exitCodes.usage, code: "WRONG_USAGE", message, told: true };
  }
  if (error instanceof UsageError) {
    return { ...plain, exitCode: exitCodes.usage, code: "WRONG_USAGE" };
  }
  if (error instanceof Interrupted) {
    return { ...plain, exitCode: exitCodes.interrupted, code: "INTERRUPTED" };
  }
  if (error instanceof BerthError) {
    return { ...plain, exitCode: exitCodes.failed, code: error.code, issues: error.issues };
  }
  return { ...plain, exitCode: exitCodes.failed, code: systemCode(error) ?? "INTERNAL" };
}

function usageText(error: CommanderError): string {
  return error.message.replace(/^error: /, "");
}

/** ENOSPC and its like: the machine's answer, not a bug. */
function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("syscall" in error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
