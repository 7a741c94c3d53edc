import { exampleOf, explain, inYaml, keysOf, spelling, type ConfigKey } from "./config-keys.js";
import { configSchema } from "./config-schema.js";
import { wrap } from "./lib/wrap.js";

const width = 96;

const head = [
  "Berth's configuration, /etc/berth/berth.yaml. Every key is optional; what is written here is what holds " +
    "without it. To set one, take away the first # of its line, and of those of the sections it is in. What " +
    "begins with # even then has no default, and shows an example: take that # away as well.",
  `${spelling.replaceAll("`", "")} An unknown key is refused with the nearest known name. \`berth doctor\` ` +
    "prints the configuration in effect. After a change: systemctl restart berth.",
];

/**
 * A configuration file that says nothing yet: each line is commented out. Without the first # of every
 * line it is a file of all defaults.
 */
export function sampleConfig(): string {
  const keys = keysOf(configSchema).map((key) => block(key).join("\n"));
  const paragraphs = head.map((text) => comment(wrap(text, width)).join("\n"));
  const lines = [paragraphs.join("\n#\n"), ...keys].join("\n\n").split("\n");
  return lines.map((line) => (line === "" ? "\n" : `#${line}\n`)).join("");
}

/**
 * A key with its explanation above it, commented out when it is not there by default. Inside an example
 * all is an example.
 */
function block(key: ConfigKey, inExample = false): string[] {
  const prose = comment(wrap(proseOf(key, inExample), width - 2 * key.path.length));
  if (inExample || isThere(key)) return [...prose, ...setting(key, inExample)];
  return [...prose, ...setting(key, true).map((line) => `#${line}`)];
}

function proseOf(key: ConfigKey, inExample: boolean): string {
  const absent = key.absent === undefined ? "" : ` Default: ${key.absent}.`;
  const example = valueOf(key, inExample) === key.example ? "" : exampleOf(key);
  return `${explain(key)}${absent}${example}`;
}

function setting(key: ConfigKey, inExample: boolean): string[] {
  const name = key.path.at(-1) ?? "";
  if (!key.keys) return [`${name}: ${inYaml(valueOf(key, inExample))}`];
  const inside = key.keys.flatMap((child) => block(child, inExample));
  const named = key.entry === undefined ? inside : [`${key.entry}:`, ...indent(inside)];
  return [`${name}:`, ...indent(named)];
}

function valueOf({ fallback, example }: ConfigKey, inExample: boolean): unknown {
  return fallback === undefined || (inExample && fallback === "") ? example : fallback;
}

/** Whether a file of all defaults has it. A section without a key would be null, which none may be. */
function isThere({ keys, entry, fallback, required }: ConfigKey): boolean {
  if (entry !== undefined) return false;
  return (required || fallback !== undefined) && (!keys || keys.some(isThere));
}

const comment = (lines: string[]): string[] => lines.map((line) => `# ${line}`);
const indent = (lines: string[]): string[] => lines.map((line) => `  ${line}`);
