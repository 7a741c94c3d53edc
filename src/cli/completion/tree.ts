import type { Argument, Command, Option } from "commander";
import type { NameKind } from "./shells.js";

// The command line as completion needs it: which words are known where.

/** What may stand in one place. */
export type Value =
  | { kind: "text" }
  | { kind: "files" }
  | { kind: "names"; of: NameKind }
  | { kind: "choices"; choices: string[] };

/** An argument, or what follows an option. */
export interface Place {
  /** `sandbox`, `duration`: what its help calls it. */
  label: string;
  value: Value;
  repeats: boolean;
}

export interface Flag {
  /** `-o`, `--output`. */
  words: string[];
  about: string;
  /** Absent for those that stand alone. */
  takes?: Place;
}

export interface Branch {
  /** Without the program's own name: `user`, `add`. */
  path: string[];
  aliases: string[];
  about: string;
  /** Its own, and those that are known everywhere. */
  flags: Flag[];
  places: Place[];
  branches: Branch[];
}

/** What a word in angle brackets stands for; any other is free text. */
const values: Record<string, Value> = {
  sandbox: { kind: "names", of: "sandboxes" },
  user: { kind: "names", of: "users" },
  profile: { kind: "names", of: "profiles" },
  file: { kind: "files" },
  where: { kind: "files" },
};

export function treeOf(program: Command): Branch {
  const shared = visibleOptions(program).filter(({ long }) => long !== "--version");
  const tree = branchOf(program, [], shared);
  const verbs = tree.branches.map(({ path }) => path.join(" "));
  const help = tree.branches.find(({ path }) => path.join(" ") === "help");
  for (const place of help?.places ?? []) place.value = { kind: "choices", choices: verbs };
  return tree;
}

/** A branch and all below it. */
export function branchesOf(branch: Branch): Branch[] {
  return [branch, ...branch.branches.flatMap(branchesOf)];
}

/** Its verbs: of a noun without commander's own `help`, of which one is enough. */
export function verbsOf(command: Command): Command[] {
  const verbs = command.createHelp().visibleCommands(command);
  return command.parent ? verbs.filter((verb) => verb.name() !== "help") : [...verbs];
}

export function visibleOptions(command: Command): Option[] {
  return command.createHelp().visibleOptions(command);
}

function branchOf(command: Command, path: string[], shared: Option[]): Branch {
  const own = visibleOptions(command);
  const isShared = ({ long }: Option) => own.every((option) => option.long !== long);
  return {
    path,
    aliases: command.aliases(),
    about: command.summary() || command.description(),
    flags: [...own, ...shared.filter(isShared)].map(flagOf),
    places: command.registeredArguments.map(placeOf),
    branches: verbsOf(command).map((verb) => branchOf(verb, [...path, verb.name()], shared)),
  };
}

function placeOf(argument: Argument): Place {
  const { argChoices } = argument;
  const label = argument.name();
  return { label, value: valueOf(label, argChoices), repeats: argument.variadic };
}

function flagOf(option: Option): Flag {
  const words = [option.short, option.long].filter((word) => word !== undefined);
  const label = /[<[]([^>\].]+)/.exec(option.flags)?.[1];
  const about = option.description;
  if (label === undefined) return { words, about };
  const value = valueOf(label, option.argChoices);
  return { words, about, takes: { label, value, repeats: option.variadic } };
}

function valueOf(label: string, choices: string[] | undefined): Value {
  return choices ? { kind: "choices", choices } : (values[label] ?? { kind: "text" });
}
