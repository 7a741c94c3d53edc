import type { Command } from "commander";
import type { CliDeps } from "./deps.js";
import { failureOf } from "./failure.js";
import { buildProgram, globalOptionsOf } from "./program.js";
import { Session } from "./session.js";

/**
 * Runs one command line, without node and script, and gives the exit code: 0 done, 1 failed,
 * 2 wrong usage, 130 interrupted. Never rejects. Leave the process with `process.exitCode`, so that
 * what was written to a pipe still gets through.
 */
export async function runCli(argv: string[], deps: CliDeps): Promise<number> {
  ignoreClosedPipe(deps);
  let program: Command | undefined = undefined;
  await using session = new Session(deps, argv, () => (program ? globalOptionsOf(program) : {}));
  try {
    program = buildProgram(deps, session);
    await program.parseAsync(argv, { from: "user" });
    return session.exitCode;
  } catch (error) {
    const failure = failureOf(error);
    if (!failure) return session.exitCode;
    session.out.failure(failure);
    if (failure.code === "INTERNAL" && error instanceof Error) session.out.note(error.stack ?? "");
    return failure.exitCode;
  }
}

/** `berth list | head -1` closes the pipe early: no error of ours. */
function ignoreClosedPipe({ stdout, stderr }: CliDeps): void {
  for (const stream of [stdout, stderr]) {
    if (stream.listenerCount("error") > 0) continue;
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
    });
  }
}
