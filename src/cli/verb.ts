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
}

/** A verb whose help teaches; `usage` is commander's, such as `create <user>`. */
export function verb(parent: Command, usage: string, help: VerbHelp): Command {
  const command = parent.command(usage).summary(help.summary).description(help.about);
  command.addHelpText("after", () => afterHelp(help));
  return command.showHelpAfterError(`Try: ${fullName(command)} --help`);
}

/** A noun: its verbs are added to what this returns; without one it shows its help. */
export function noun(parent: Command, name: string, summary: string): Command {
  const command = parent.command(name).summary(summary);
  command.description(`${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`);
  return command.showHelpAfterError(`Try: ${fullName(command)} --help`);
}

function afterHelp({ examples, next }: VerbHelp): string {
  const lines = alignColumns(
    examples.map(([line, what]) => [
      line.includes("berth ") ? line : `berth ${line}`,
      what === undefined ? "" : `# ${what}`,
    ]),
  ).map((line) => `  ${line}`);
  return ["", "Examples:", ...lines, ...(next === undefined ? [] : ["", `Next: ${next}`])].join(
    "\n",
  );
}

function fullName(command: Command): string {
  const above = command.parent;
  return above ? `${fullName(above)} ${command.name()}` : command.name();
}
