// Makes dist/ of src: the program, the page beside it, and what else an installed Berth brings: manual pages,
// completions, a sample configuration, the licenses of others and the versions of its records.
import { writeFileSync } from "node:fs";
import { sandboxVersion } from "../src/provisioner/record-history.js";
import { userVersion } from "../src/users/record.js";
import { buildPage } from "./build-page.js";
import { buildProgram } from "./build-program.js";
import { dist } from "./dist.js";
import { writeShareFiles } from "./share-files.js";
import { thirdParty } from "./third-party.js";

const built = [await buildProgram(), await buildPage()];
writeFileSync(`${dist}third-party.md`, thirdParty(built));
writeShareFiles();
writeRecordVersions();
// What scripts/lib/build.sh holds the sources' times against; written last.
writeFileSync(`${dist}.built`, "");

/** What scripts/install holds against those of the version that is there: an older one reads no newer record. */
function writeRecordVersions(): void {
  const versions = { sandboxes: sandboxVersion, users: userVersion };
  writeFileSync(`${dist}record-versions.json`, `${JSON.stringify(versions, null, 2)}\n`);
}
