// Prints `N passed, M failed, K skipped` over all suites, and fails if anything did.
// usage: node scripts/test-summary.mjs RESULTS.json FAILED(0|1)
import { readFileSync } from "node:fs";

const [, , file, alreadyFailed] = process.argv;
const counts = { passed: 0, failed: 0, skipped: 0 };
try {
  const results = JSON.parse(readFileSync(file, "utf8"));
  for (const suite of results.testResults) {
    // A file that broke before its tests began has none to count: it counts as one failure itself.
    if (suite.status === "failed" && !suite.assertionResults.some((t) => t.status === "failed")) {
      counts.failed++;
      console.error(`${suite.name}: ${suite.message}`);
    }
    for (const { status } of suite.assertionResults) {
      counts[status === "passed" || status === "failed" ? status : "skipped"]++;
    }
  }
} catch (error) {
  console.error(`no results of the tests: ${error.message}`);
}
const good = counts.failed === 0 && counts.passed > 0 && alreadyFailed === "0";
// A check or a suite that failed outside of any test must not look like a success.
if (!good && counts.failed === 0) counts.failed = 1;
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = good ? 0 : 1;
