// Writes dist/share: manual pages, completions and a sample configuration.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { shareFiles } from "../src/share-files.js";
import { dist, root } from "./dist.js";

export function writeShareFiles(): void {
  const { version } = JSON.parse(readFileSync(`${root}package.json`, "utf8")) as {
    version: string;
  };
  for (const [path, text] of Object.entries(shareFiles(version))) {
    const file = `${dist}share/${path}`;
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}
