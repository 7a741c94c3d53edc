// Compiles src to dist with plain tsc, builds the page's browser code beside it, and writes manual pages,
// completions and a sample configuration from what was compiled.
import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { fileURLToPath, URL } from "node:url";
import { buildPage } from "./build-page.mjs";
import { writeShareFiles } from "./share-files.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const tsc = `${root}node_modules/typescript/bin/tsc`;

rmSync(`${root}dist`, { recursive: true, force: true });
execFileSync(process.execPath, [tsc, "-p", `${root}tsconfig.build.json`], { stdio: "inherit" });
await buildPage();
await writeShareFiles();
// What scripts/lib/build.sh holds the sources' times against; written last.
writeFileSync(`${root}dist/.built`, "");
