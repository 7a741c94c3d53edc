import { singleQuoted } from "../shell.js";
import { branchesOf, type Branch, type Flag, type Place, type Value } from "./tree.js";
import { verbatim } from "./verbatim.js";

/** Completion for zsh, as a file `_berth` in its fpath or sourced after compinit. */
export function zshCompletion(tree: Branch): string {
  return [
    "#compdef berth",
    "# zsh completion for berth(1), as `berth completion zsh` prints it",
    names,
    ...branchesOf(tree).flatMap((branch) => ["", ...functionOf(branch)]),
    start,
  ].join("\n");
}

function functionOf(branch: Branch): string[] {
  const { branches, flags, places } = branch;
  const specs = [...flags.map(flagSpec), ...places.map(placeSpec)];
  if (branches.length === 0)
    return [`${nameOf(branch)}() {`, ...argumentsCall("_arguments -S", specs), "}"];
  const below = [singleQuoted("1:verb:->verb"), singleQuoted("*::word:->word")];
  return [
    `${nameOf(branch)}() {`,
    "  local context state state_descr line",
    "  local -A opt_args",
    "  local -a verbs",
    ...argumentsCall("_arguments -C -S", [...specs, ...below]),
    "  case $state in",
    "    verb)",
    "      verbs=(",
    ...branches.map(({ path, about }) => `        ${singleQuoted(`${path.at(-1)}:${about}`)}`),
    "      )",
    "      _describe -t verbs verb verbs",
    "      ;;",
    "    word)",
    "      case $line[1] in",
    ...branches.map(
      (one) => `        ${[one.path.at(-1), ...one.aliases].join("|")}) ${nameOf(one)} ;;`,
    ),
    "      esac",
    "      ;;",
    "  esac",
    "}",
  ];
}

const nameOf = ({ path }: Branch): string =>
  ["_berth", "at", ...path].join("_").replaceAll("-", "_");

function argumentsCall(command: string, specs: string[]): string[] {
  return [`  ${command} \\`, ...specs.map((spec) => `    ${spec} \\`)].map((line, i) =>
    i === specs.length ? line.slice(0, -2) : line,
  );
}

/** `'(-o --output)'{-o,--output}'[…]:where:_files'` (zshcompsys(1), _arguments). */
function flagSpec({ words, about, takes }: Flag): string {
  const value = takes ? `:${escaped(takes.label)}:${actionOf(takes.value, takes.label)}` : "";
  const rest = `[${escaped(about)}]${value}`;
  const repeats = takes?.repeats ? "*" : "";
  const [first, ...others] = words.map((word) =>
    takes && word.startsWith("--") ? `${word}=` : takes ? `${word}+` : word,
  );
  if (first === undefined) return "";
  if (others.length === 0) return singleQuoted(`${repeats}${first}${rest}`);
  const exclusion = repeats || `(${words.join(" ")})`;
  return `${singleQuoted(exclusion)}{${[first, ...others].join(",")}}${singleQuoted(rest)}`;
}

function placeSpec({ label, value, repeats }: Place, index: number): string {
  const where = repeats ? "*" : String(index + 1);
  return singleQuoted(`${where}:${escaped(label)}:${actionOf(value, label)}`);
}

function actionOf(value: Value, label: string): string {
  switch (value.kind) {
    case "choices":
      return `(${value.choices.join(" ")})`;
    case "files":
      return "_files";
    case "names":
      // With a space first it is called as it stands.
      return ` _berth_names ${value.of} ${label}`;
    case "text":
      return " ";
  }
}

/** Signs that end a part of a spec. */
const escaped = (text: string): string => text.replace(/[\\[\]:]/g, String.raw`\$&`);

const names = verbatim`
# KIND LABEL: names that the daemon knows; berth asks it, and gives up soon.
_berth_names() {
  local line
  local -a names
  for line in "\${(@f)$(command $berth_program complete-names $1 2>/dev/null </dev/null)}"; do
    [[ \${line%%$'\t'*} =~ '^[a-z][a-z0-9_./-]*$' ]] && names+=("\${line/$'\t'/:}")
  done
  _describe -t $1 $2 names
}`;

const start = verbatim`
_berth() {
  local berth_program=$words[1]
  (( $+commands[$berth_program] )) || [[ -x $berth_program ]] || berth_program=berth
  _berth_at
}

# Called as an autoloaded function, or sourced.
if [[ $funcstack[1] == _berth ]]; then
  _berth "$@"
elif (( $+functions[compdef] )); then
  compdef _berth berth
fi
`;
