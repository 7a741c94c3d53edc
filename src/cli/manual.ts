import type { Argument, Command, Option } from "commander";
import { bold, italic, ManPage, prose } from "../lib/roff.js";
import { verbsOf, visibleOptions } from "./completion/tree.js";
import { exitMeanings, files, reach, sandboxMeaning, usualPath, variables } from "./guide.js";
import { exampleLines, fullName, helpOf } from "./verb.js";

/** The manual page berth(1), of all that the program says in its help. */
export function manualPage(program: Command, version: string): string {
  const page = new ManPage("BERTH", 1, `Berth ${version}`);
  const verbs = leavesOf(program);
  const about = program.description().replace(/\.$/, "");
  page.section("NAME").paragraph(`berth \\- ${prose(lowerFirst(about))}`);
  page.section("SYNOPSIS").list(verbs.map(shortUsageOf));
  page
    .section("DESCRIPTION")
    .paragraph(
      prose(
        "Berth gives every user of a shared Linux server a Docker Engine of their own, in a sandbox: " +
          "isolated by the kernel, bounded by a systemd slice, reached with the user's own `docker` client " +
          "over mutual TLS, and gone after its time. `berth` asks its daemon for all of this.",
      ),
    );
  for (const text of [sandboxMeaning, ...Object.values(reach)]) page.paragraph(prose(text));
  addOptions(page.section("OPTIONS"), visibleOptions(program));
  addOverview(page.section("VERBS"), verbs);
  page.section("VERBS IN DETAIL");
  for (const verb of verbs) addVerb(page, verb);
  page.section("EXAMPLES").paragraph("The usual path:").example(usualPath);
  page.section("EXIT STATUS");
  for (const [code, meaning] of exitMeanings)
    page.term(bold(String(code)), prose(`${upperFirst(meaning)}.`));
  page.section("ENVIRONMENT");
  for (const [name, meaning] of variables) page.term(bold(name), prose(meaning));
  page.section("FILES");
  for (const [path, meaning] of files) page.term(bold(path), prose(meaning));
  page.section("SEE ALSO").paragraph(
    [
      ["berth.yaml", 5],
      ["docker", 1],
      ["systemd.slice", 5],
    ]
      .map(([name, section]) => `${bold(String(name))}(${section})`)
      .join(", "),
  );
  return page.toString();
}

/** What can be called: nouns are nothing without a verb. */
function leavesOf(command: Command): Command[] {
  return verbsOf(command).flatMap((verb) => (verb.commands.length === 0 ? [verb] : leavesOf(verb)));
}

/** As in the help of the whole program: by heading, a line for each. */
function addOverview(page: ManPage, verbs: Command[]): void {
  let heading: string | undefined;
  for (const verb of verbs) {
    const group = (verb.parent?.parent ? verb.parent : verb).helpGroup() || "Help:";
    if (group !== heading) page.subsection(group.replace(/:$/, ""));
    heading = group;
    page.term(
      bold(fullNameOf(verb)),
      prose(`${upperFirst(verb.summary() || verb.description())}.`),
    );
  }
}

function addVerb(page: ManPage, verb: Command): void {
  const help = helpOf(verb);
  const names = [fullNameOf(verb), ...verb.aliases()];
  page.subsection(names.join(", ")).paragraph(usageOf(verb));
  page.paragraph(prose(help?.about ?? `${upperFirst(verb.description())}.`));
  for (const argument of verb.registeredArguments)
    page.term(placeholder(argument), prose(described(argument)));
  addOptions(page, ownOptions(verb));
  if (!help) return;
  page.example(exampleLines(help));
  if (help.next !== undefined) page.paragraph(prose(`Next: ${help.next}`));
}

function addOptions(page: ManPage, options: readonly Option[]): void {
  for (const option of options) page.term(flagsOf(option), prose(described(option)));
}

/** Its help's own words, with choices and default. */
function described(one: Option | Argument): string {
  const { argChoices } = one;
  const defaultValue: unknown = one.defaultValue;
  const more = [
    ...(argChoices ? [`one of ${argChoices.map((choice) => `\`${choice}\``).join(", ")}`] : []),
    ...(typeof defaultValue === "string" ? [`default: \`${defaultValue}\``] : []),
  ];
  return `${upperFirst(one.description)}${more.length > 0 ? ` (${more.join("; ")})` : ""}.`;
}

function flagsOf({ short, long, flags }: Pick<Option, "short" | "long" | "flags">): string {
  const words = [short, long].filter((word) => word !== undefined).map(bold);
  const value = /[<[]([^>\]]+)/.exec(flags)?.[1];
  return `${words.join(", ")}${value === undefined ? "" : ` ${italic(value)}`}`;
}

function placeholder(argument: Argument): string {
  return `${italic(argument.name())}${argument.variadic ? " ..." : ""}`;
}

/** `berth user set [--role role] user` */
function usageOf(verb: Command): string {
  return [bold(fullNameOf(verb)), ...ownOptions(verb).map(optionUsage), ...placesOf(verb)].join(
    " ",
  );
}

function shortUsageOf(verb: Command): string {
  const options = ownOptions(verb).length > 0 ? [`[${italic("options")}]`] : [];
  return [bold(fullNameOf(verb)), ...options, ...placesOf(verb)].join(" ");
}

function placesOf(verb: Command): string[] {
  return verb.registeredArguments.map((argument) =>
    argument.required ? placeholder(argument) : `[${placeholder(argument)}]`,
  );
}

function ownOptions(verb: Command): Option[] {
  return visibleOptions(verb).filter(({ long }) => long !== "--help");
}

function optionUsage({ long, flags, mandatory }: Option): string {
  const usage = flagsOf({ flags, ...(long === undefined ? {} : { long }) });
  return mandatory ? usage : `[${usage}]`;
}

/** commander's own `help` does not know whose it is. */
function fullNameOf(verb: Command): string {
  return verb.parent ? fullName(verb) : `berth ${verb.name()}`;
}

const upperFirst = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);
