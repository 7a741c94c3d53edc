// Writes dist/share: manual pages, completions and a sample configuration, from what is compiled.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath, URL } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

export async function writeShareFiles() {
  const { shareFiles } = await import("../dist/share-files.js");
  const { version } = JSON.parse(readFileSync(`${root}package.json`, "utf8"));
  for (const [path, text] of Object.entries(shareFiles(version))) {
    const file = `${root}dist/share/${path}`;
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}
