// Writes the table in docs/configuration.md from the configuration's schema; with --check only looks whether
// it is current.
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { format, resolveConfig } from "prettier";
import { configDocument, withConfigTable } from "./config-table.js";

const there = await readFile(configDocument, "utf8");
const options = await resolveConfig(fileURLToPath(configDocument));
const text = await format(withConfigTable(there), { ...options, parser: "markdown" });

if (!process.argv.includes("--check")) {
  await writeFile(configDocument, text);
} else if (there !== text) {
  console.error("docs/configuration.md is not what the schema says; run: npm run generate:docs");
  process.exitCode = 1;
}
