import { Command } from "commander";
import { addBundle } from "./commands/bundle.js";
import { addClearHost } from "./commands/clear-host.js";
import { addCreate } from "./commands/create.js";
import { addDoctor } from "./commands/doctor.js";
import { addEnv } from "./commands/env.js";
import { addExtend } from "./commands/extend.js";
import { addImage } from "./commands/image.js";
import { addList } from "./commands/list.js";
import { addReap } from "./commands/reap.js";
import { addRemove } from "./commands/remove.js";
import { addResize } from "./commands/resize.js";
import { addServe } from "./commands/serve.js";
import { addShow } from "./commands/show.js";
import { addUser } from "./commands/user.js";
import { addVerify } from "./commands/verify.js";
import { addWhoami } from "./commands/whoami.js";
import type { CliDeps } from "./deps.js";
import { widthOf } from "./output.js";
import type { GlobalOptions, Session } from "./session.js";
import type { AddVerb } from "./verb.js";

const groups: [heading: string, verbs: AddVerb[]][] = [
  [
    "Sandboxes:",
    [addCreate, addList, addShow, addBundle, addEnv, addExtend, addResize, addVerify, addRemove],
  ],
  ["Users:", [addUser, addWhoami]],
  ["The host:", [addServe, addReap, addImage, addDoctor, addClearHost]],
];

const usualPath = `
The usual path:
  berth create alice --ttl 2h
  berth bundle alice -o ./alice
  docker context import alice ./alice/berth.dockercontext
  docker --context alice run --rm hello-world
  berth remove alice

SANDBOX is an id, a user, or user/name.

Root reaches the daemon over its socket (this machine's, or the embedded host's when that is up).
Everyone else, from anywhere: set BERTH_URL and BERTH_TOKEN (BERTH_CA for an https address with
a certificate of your own making).

Exit codes: 0 done, 1 failed, 2 the command line is wrong, 130 interrupted.`;

/** The command line of `berth`: its verbs, and what each does in `session`. */
export function buildProgram(deps: CliDeps, session: Session): Command {
  const program = new Command("berth")
    .description("A Docker Engine of their own for every user of a shared Linux server.")
    .version(deps.version, "-V, --version", "show the version")
    .option("--json", "print one JSON document on stdout and nothing else there")
    .option("--url <url>", "address of the Berth to ask (default: BERTH_URL, else the socket)")
    .helpOption("-h, --help", "show help")
    .addHelpText("after", usualPath)
    .showHelpAfterError("Try: berth --help")
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => deps.stdout.write(text),
      writeErr: (text) => deps.stderr.write(text),
      outputError: (text, write) => {
        write(text.replace(/^error: /, "berth: "));
      },
      getOutHelpWidth: () => widthOf(deps.stdout, 100),
      getErrHelpWidth: () => widthOf(deps.stderr, 100),
    })
    .exitOverride();
  for (const [heading, verbs] of groups) {
    program.commandsGroup(heading);
    for (const add of verbs) add(program, session);
  }
  return program.commandsGroup("Help:").helpCommand("help [verb]", "show help for a verb");
}

export function globalOptionsOf(program: Command): GlobalOptions {
  return program.opts<GlobalOptions>();
}
