import type { Command } from "commander";
import type { Session } from "./session.js";
import { alignColumns } from "./table.js";

/** Adds one verb to the program, or to its noun. */
export type AddVerb = (parent: Command, session: Session) => void;

export interface VerbHelp {
  /** One line for the list of verbs. */
  summary: string;
  /** What it does and what to know, as paragraphs. */
  about: string;
  /** Command lines, without the `berth` they begin with, and what each is for. */
  examples: [line: string, what?: string][];
  /** What comes next. */
  next?: string;
  /** For other programs: no list of verbs has it. */
  hidden?: boolean;
}

const helps = new WeakMap<Command, VerbHelp>();

/** What was said of a verb when it was added; undefined for commander's own. */
export function helpOf(command: Command): VerbHelp | undefined {
  return helps.get(command);
}

/** A verb whose help teaches; `usage` is commander's, such as `create <user>`. */
export function verb(parent: Command, usage: string, help: VerbHelp): Command {
  const command = parent
    .command(usage, { hidden: help.hidden ?? false })
    .summary(help.summary)
    .description(help.about)
    .addHelpText("after", () => afterHelp(help));
  helps.set(command, help);
  return command.showHelpAfterError(`Try: ${fullName(command)} --help`);
}

/** A noun: its verbs are added to what this returns; without one it shows its help. */
export function noun(parent: Command, name: string, help: VerbHelp): Command {
  return verb(parent, name, help)
    .commandsGroup("Verbs:")
    .helpCommand("help [verb]", "show help for a verb");
}

function afterHelp(help: VerbHelp): string {
  const lines = exampleLines(help).map((line) => `  ${line}`);
  const { next } = help;
  return ["", "Examples:", ...lines, ...(next === undefined ? [] : ["", `Next: ${next}`])].join(
    "\n",
  );
}

/** Whole command lines, with what each is for. */
export function exampleLines({ examples }: VerbHelp): string[] {
  return alignColumns(
    examples.map(([line, what]) => [
      line.includes("berth ") ? line : `berth ${line}`,
      what === undefined ? "" : `# ${what}`,
    ]),
  );
}

/** `berth user add` */
export function fullName(command: Command): string {
  const above = command.parent;
  return above ? `${fullName(above)} ${command.name()}` : command.name();
}
