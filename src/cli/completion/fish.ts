import { branchesOf, type Branch, type Flag, type Place, type Value } from "./tree.js";
import { verbatim } from "./verbatim.js";

/** Completion for fish 3 and newer. */
export function fishCompletion(tree: Branch): string {
  const branches = branchesOf(tree);
  const common = tree.flags.filter((flag) => branches.every((branch) => has(branch, flag)));
  return [
    "# fish completion for berth(1), as `berth completion fish` prints it",
    names,
    "",
    ...stateFunction(branches),
    "",
    "complete -c berth -f",
    ...common.map((flag) => flagLine(flag)),
    ...branches.flatMap((branch) => linesOf(branch, common)),
    "",
  ].join("\n");
}

function has({ flags }: Branch, { words }: Flag): boolean {
  return flags.some((flag) => flag.words.join() === words.join());
}

function linesOf(branch: Branch, common: Flag[]): string[] {
  const { path, flags, places, branches } = branch;
  const verb = path.join(" ");
  const own = flags.filter(({ words }) => !common.some((one) => one.words.join() === words.join()));
  return [
    "",
    ...branches.map(({ path: [...words], about }) =>
      line([`-n ${at(verb, 0)}`, `-a ${quoted(words.at(-1) ?? "")}`, `-d ${quoted(about)}`]),
    ),
    ...own.map((flag) => flagLine(flag, `-n ${at(verb)}`)),
    ...places.flatMap((place, i) => placeLine(place, at(verb, place.repeats ? undefined : i))),
  ].filter((text, i) => i > 0 || own.length + places.length + branches.length > 0 || text !== "");
}

function flagLine({ words, about, takes }: Flag, where = ""): string {
  const named = words.map((word) =>
    word.startsWith("--") ? `-l ${word.slice(2)}` : `-s ${word.slice(1)}`,
  );
  const value = takes ? ["-r", ...valueOf(takes.value)] : [];
  return line([where, ...named, ...value, `-d ${quoted(about)}`]);
}

function placeLine({ value }: Place, condition: string): string[] {
  if (value.kind === "text") return [];
  return [line([`-n ${condition}`, ...valueOf(value)])];
}

function valueOf(value: Value): string[] {
  switch (value.kind) {
    case "choices":
      return ["-f", `-a ${quoted(value.choices.join(" "))}`];
    case "files":
      return ["-F"];
    case "names":
      return ["-f", `-a ${quoted(`(__berth_names ${value.of})`)}`];
    case "text":
      return ["-f"];
  }
}

/** The condition that this verb, with this many arguments (any, if not said), stands before the cursor. */
function at(verb: string, count?: number): string {
  const words = ["__berth_at", `'${verb}'`, ...(count === undefined ? [] : [String(count)])];
  return quoted(words.join(" "));
}

const line = (parts: string[]): string =>
  ["complete -c berth", ...parts.filter((part) => part !== "")].join(" ");

/** In fish's single quotes a backslash escapes itself and the quote. */
const quoted = (text: string): string => `'${text.replace(/[\\']/g, String.raw`\$&`)}'`;

/** Walks over what is typed, as bash's does. */
function stateFunction(branches: Branch[]): string[] {
  const verbs = branches.filter(({ path }) => path.length > 0);
  const taking = branches.flatMap(({ path, flags }) =>
    flags
      .filter(({ takes }) => takes !== undefined)
      .flatMap(({ words }) => words.map((word) => quoted(`${path.join(" ")} ${word}`))),
  );
  return [
    "# VERB [NUMBER]: whether that verb, with so many arguments, stands before the cursor.",
    "function __berth_at",
    "    set -l words (commandline -opc)",
    "    set -e words[1]",
    "    set -l verb ''",
    "    set -l number 0",
    "    set -l skip ''",
    "    set -l ended ''",
    "    for word in $words",
    '        if test -n "$skip"',
    "            set skip ''",
    "            continue",
    "        end",
    "        if test -z \"$ended\"; and string match -q -- '-*' $word",
    "            test $word = --; and set ended yes",
    '            switch "$verb $word"',
    `                case ${taking.join(" ")}`,
    "                    set skip yes",
    "            end",
    "            continue",
    "        end",
    "        if test $number = 0",
    '            switch "$verb $word"',
    ...verbs.flatMap(({ path, aliases }) => {
      const above = path.slice(0, -1).join(" ");
      const words = [path.at(-1) ?? "", ...aliases].map((name) => quoted(`${above} ${name}`));
      return [
        `                case ${words.join(" ")}`,
        `                    set verb ${quoted(path.join(" "))}`,
        "                    continue",
      ];
    }),
    "            end",
    "        end",
    "        set number (math $number + 1)",
    "    end",
    '    test "$verb" = "$argv[1]"; or return 1',
    "    test (count $argv) = 1; or test $number = $argv[2]",
    "end",
  ];
}

const names = verbatim`
# KIND: names that the daemon knows, with a few words on each; berth asks it, and gives up soon.
function __berth_names
    set -l program (commandline -opc)[1]
    type -q -- $program; or set program berth
    command $program complete-names $argv[1] 2>/dev/null </dev/null | string match -r -- '^[a-z][a-z0-9_./-]*(?:\t.*)?$'
end`;
