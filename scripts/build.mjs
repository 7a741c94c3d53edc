// Compiles src to dist with plain tsc, builds the page's browser code beside it, and writes manual pages,
// completions, a sample configuration and the versions of records from what was compiled.
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
await writeRecordVersions();
// What scripts/lib/build.sh holds the sources' times against; written last.
writeFileSync(`${root}dist/.built`, "");

/** What scripts/install holds against those of the version that is there: an older one reads no newer record. */
async function writeRecordVersions() {
  const { sandboxVersion } = await import("../dist/provisioner/record-history.js");
  const { userVersion } = await import("../dist/users/record.js");
  const versions = { sandboxes: sandboxVersion, users: userVersion };
  writeFileSync(`${root}dist/record-versions.json`, `${JSON.stringify(versions, null, 2)}\n`);
}
