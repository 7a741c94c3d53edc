import type { Command } from "commander";
import { Readable, Writable } from "node:stream";
import { completionScript } from "./cli/completion/scripts.js";
import type { CliDeps } from "./cli/deps.js";
import { manualPage } from "./cli/manual.js";
import { buildProgram } from "./cli/program.js";
import { Session } from "./cli/session.js";
import { configManual } from "./config-manual.js";
import { sampleConfig } from "./config-sample.js";

/**
 * What an installed Berth brings beside its program, by path below dist/share: made from the command line
 * and the configuration's schema themselves, so that it says what they do.
 */
export function shareFiles(version: string): Record<string, string> {
  const program = documentedProgram(version);
  return {
    "man/man1/berth.1": manualPage(program, version),
    "man/man5/berth.yaml.5": configManual(version),
    "completions/berth.bash": completionScript("bash", program),
    "completions/_berth": completionScript("zsh", program),
    "completions/berth.fish": completionScript("fish", program),
    "berth.yaml": sampleConfig(),
  };
}

/** The command line to look at, not to run. */
export function documentedProgram(version: string): Command {
  const nothing = () => Promise.reject(new Error("this command line is to look at"));
  const deps: CliDeps = {
    version,
    stdin: Readable.from([]),
    stdout: new Writable(),
    stderr: new Writable(),
    cwd: "/",
    home: "/",
    now: () => new Date(0),
    connection: { socket: "/", embeddedStateFile: "/" },
    local: {
      serve: nothing,
      reap: nothing,
      doctor: nothing,
      clearHost: nothing,
      image: { build: nothing, list: nothing, remove: nothing },
    },
    onInterrupt: () => () => undefined,
    endWithin: () => undefined,
  };
  return buildProgram(deps, new Session(deps, [], () => ({})));
}
