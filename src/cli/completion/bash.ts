import { singleQuoted } from "../shell.js";
import { verbatim } from "./verbatim.js";
import { branchesOf, type Branch, type Place } from "./tree.js";

/** Completion for bash 3.2 and newer; needs nothing of the package bash-completion. */
export function bashCompletion(tree: Branch): string {
  const branches = branchesOf(tree);
  const below = branches.filter(({ path }) => path.length > 0);
  return [
    "# bash completion for berth(1), as `berth completion bash` prints it",
    "",
    "# VERB WORD: which verb WORD makes of VERB, as `verb`.",
    "_berth_verb() {",
    ...caseOf(
      "$1 $2",
      below.map((branch) => [verbPatterns(branch), `verb=${quoted(branch)}`]),
    ),
    "}",
    "",
    "# VERB OPTION: what follows the option, as `follows`; fails when nothing does.",
    "_berth_option() {",
    ...caseOf("$1 $2", branches.flatMap(optionCases)),
    "}",
    "",
    "# VERB NUMBER: what that argument of the verb is, as `follows`.",
    "_berth_argument() {",
    ...caseOf("$1 $2", branches.flatMap(argumentCases)),
    "}",
    "",
    "# VERB: its options and the verbs below it, as `options` and `verbs`.",
    "_berth_words() {",
    ...caseOf(
      "$1",
      branches.map((branch) => [quoted(branch), wordsOf(branch)]),
    ),
    "}",
    fixedPart,
  ].join("\n");
}

type Case = [pattern: string, then: string];

function caseOf(subject: string, cases: Case[]): string[] {
  return [
    `  case "${subject}" in`,
    ...cases.map(([pattern, then]) => `    ${pattern}) ${then} ;;`),
    "    *) return 1 ;;",
    "  esac",
  ];
}

const quoted = ({ path }: Branch): string => singleQuoted(path.join(" "));

function verbPatterns({ path, aliases }: Branch): string {
  const above = path.slice(0, -1).join(" ");
  const names = [path.at(-1) ?? "", ...aliases];
  return names.map((name) => singleQuoted(`${above} ${name}`)).join("|");
}

function optionCases({ path, flags }: Branch): Case[] {
  return flags.flatMap(({ words, takes }): Case[] => {
    if (!takes) return [];
    const patterns = words.map((word) => singleQuoted(`${path.join(" ")} ${word}`));
    return [[patterns.join("|"), `follows=${followsOf(takes)}`]];
  });
}

function argumentCases({ path, places }: Branch): Case[] {
  return places.map((place, i) => {
    const verb = path.join(" ");
    const pattern = place.repeats
      ? `${singleQuoted(`${verb} `)}*`
      : singleQuoted(`${verb} ${i + 1}`);
    return [pattern, `follows=${followsOf(place)}`];
  });
}

/** `words …` for choices, else the kind. */
function followsOf({ value }: Place): string {
  if (value.kind === "choices") return singleQuoted(`words ${value.choices.join(" ")}`);
  return singleQuoted(value.kind === "names" ? value.of : value.kind);
}

function wordsOf({ flags, branches }: Branch): string {
  const options = flags.flatMap(({ words }) => words).join(" ");
  const verbs = branches.map(({ path }) => path.at(-1)).join(" ");
  return `options=${singleQuoted(options)} verbs=${singleQuoted(verbs)}`;
}

// Names come from the daemon, and in the end from others: they are compared and copied, never expanded
// (`compgen -W` would), and none with a sign that means something to a shell is offered.
const fixedPart = verbatim`
# KIND: names that the daemon knows; berth asks it, and gives up soon.
_berth_names() {
  local program name
  program=$(type -P -- "\${COMP_WORDS[0]}") || program=berth
  while IFS=$'\t' read -r name _; do
    [[ $name =~ ^[a-z][a-z0-9_./-]*$ && $name == "$cur"* ]] && COMPREPLY+=("$name")
  done <<<"$("$program" complete-names "$1" 2>/dev/null </dev/null)"
}

# WORD...: those that begin as what is typed.
_berth_offer() {
  local word
  for word; do
    [[ $word == "$cur"* ]] && COMPREPLY+=("$word")
  done
}

# KIND: what may stand here.
_berth_value() {
  local IFS=$' \t\n'
  case $1 in
    'words '*) _berth_offer \${1#words } ;;
    files) compopt -o default 2>/dev/null ;;
    text) ;;
    *) _berth_names "$1" ;;
  esac
}

_berth() {
  local IFS=$' \t\n' cur=\${COMP_WORDS[COMP_CWORD]} at='' verb follows='' word options verbs
  local index number=1 ended=''
  COMPREPLY=()
  for ((index = 1; index < COMP_CWORD; index++)); do
    word=\${COMP_WORDS[index]}
    # --shell=sh comes as three words.
    [[ $word != = ]] || continue
    if [[ -n $follows ]]; then
      follows=''
    elif [[ -z $ended && $word == -- ]]; then
      ended=1
    elif [[ -z $ended && $word == -* ]]; then
      _berth_option "$at" "$word"
    elif [[ $number == 1 ]] && _berth_verb "$at" "$word"; then
      at=$verb
    else
      number=$((number + 1))
    fi
  done
  [[ $cur != = || -z $follows ]] || cur=''
  if [[ -n $follows ]]; then
    _berth_value "$follows"
  elif [[ -z $ended && $cur == -* ]]; then
    _berth_words "$at" && _berth_offer $options
  elif _berth_words "$at" && [[ -n $verbs ]]; then
    [[ $number != 1 ]] || _berth_offer $verbs
  elif _berth_argument "$at" "$number"; then
    _berth_value "$follows"
  fi
  return 0
}

complete -F _berth berth
`;
