import { exampleOf, explain, flatten, inYaml, keysOf, type ConfigKey } from "../src/config-keys.js";
import { configSchema } from "../src/config-schema.js";

/** The file whose table is made here, between `begin` and `end`. */
export const configDocument = new URL("../docs/configuration.md", import.meta.url);

const begin = "<!-- Made from src/config-schema.ts by `npm run generate:docs`. -->";
const end = "<!-- End of what is made. -->";

/** The document with the table of what the schema says now; not formatted. */
export function withConfigTable(document: string): string {
  const [before, after] = [document.indexOf(begin), document.indexOf(end)];
  if (before === -1 || after === -1) throw new Error(`docs/configuration.md lacks "${begin}"`);
  const rows = flatten(keysOf(configSchema)).map(rowOf);
  const table = [["key", "default", "what it is"], ["-", "-", "-"], ...rows];
  const lines = table.map((cells) => `| ${cells.join(" | ")} |`);
  return `${document.slice(0, before)}${begin}\n\n${lines.join("\n")}\n\n${document.slice(after)}`;
}

function rowOf(key: ConfigKey): string[] {
  const name = [...key.path, ...(key.entry === undefined ? [] : ["<name>"])].join(".");
  return [`\`${name}\``, defaultOf(key), linked(`${explain(key)}${exampleOf(key)}`)];
}

/** A section that is always there has none but its keys'. */
function defaultOf({ absent, required, entry, keys, fallback }: ConfigKey): string {
  if (absent !== undefined)
    return /^[a-zA-Z]+(\.[a-zA-Z]+)+$/.test(absent) ? `\`${absent}\`` : absent;
  if (required) return "must be given";
  if (keys) return entry === undefined ? "" : "none";
  return `\`${inYaml(fallback)}\``;
}

/** `docs/sign-in.md` as a link of a file beside it. */
const linked = (text: string): string => text.replace(/docs\/([a-z-]+\.md)/g, "[$1]($1)");
