import { Command } from "commander";
import { addBundle } from "./commands/bundle.js";
import { addClearHost } from "./commands/clear-host.js";
import { addCompleteNames } from "./commands/complete-names.js";
import { addCompletion } from "./commands/completion.js";
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
import { exitMeanings, reach, sandboxMeaning, usualPath } from "./guide.js";
import { widthOf } from "./output.js";
import type { GlobalOptions, Session } from "./session.js";
import type { AddVerb } from "./verb.js";
import { wrap } from "../lib/wrap.js";

const groups: [heading: string, verbs: AddVerb[]][] = [
  [
    "Sandboxes:",
    [addCreate, addList, addShow, addBundle, addEnv, addExtend, addResize, addVerify, addRemove],
  ],
  ["Users:", [addUser, addWhoami]],
  ["The host:", [addServe, addReap, addImage, addDoctor, addClearHost]],
];

const helpWidth = 100;

const guide = `
The usual path:
${usualPath.map((line) => `  ${line}`).join("\n")}

${sandboxMeaning}

${Object.values(reach)
  .map((text) => wrap(text, helpWidth).join("\n"))
  .join("\n")}

Exit codes: ${exitMeanings.map(([code, meaning]) => `${code} ${meaning}`).join(", ")}.

Where Berth is installed, \`man berth\` has all of this, and \`man berth.yaml\` the configuration.
For completion by the TAB key: \`berth completion --help\`.`;

/** The command line of `berth`: its verbs, and what each does in `session`. */
export function buildProgram(deps: CliDeps, session: Session): Command {
  const program = new Command("berth")
    .description("A Docker Engine of their own for every user of a shared Linux server.")
    .version(deps.version, "-V, --version", "show the version")
    .option("--json", "print one JSON document on stdout and nothing else there")
    .option("--url <url>", "address of the Berth to ask (default: BERTH_URL, else the socket)")
    .helpOption("-h, --help", "show help")
    .addHelpText("after", guide)
    .showHelpAfterError("Try: berth --help")
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => deps.stdout.write(text),
      writeErr: (text) => deps.stderr.write(text),
      outputError: (text, write) => {
        write(text.replace(/^error: /, "berth: "));
      },
      getOutHelpWidth: () => widthOf(deps.stdout, helpWidth),
      getErrHelpWidth: () => widthOf(deps.stderr, helpWidth),
    })
    .exitOverride();
  for (const [heading, verbs] of groups) {
    program.commandsGroup(heading);
    for (const add of verbs) add(program, session);
  }
  program.commandsGroup("Help:").helpCommand("help [verb]", "show help for a verb");
  addCompletion(program, session);
  addCompleteNames(program, session);
  return program;
}

export function globalOptionsOf(program: Command): GlobalOptions {
  return program.opts<GlobalOptions>();
}
