import { demultiplex } from "../lib/engine-log.js";
import type { Check } from "../lib/model.js";

/** More than the probe has to say; the rest of a forged report is not read. */
const mostChecks = 100;
const longestText = 300;

/**
 * Reads what the probe wrote: lines of `ok|FAIL <tab> name <tab> detail`. Others are complaints of its
 * programs. A report that is no report is a failed check.
 */
export function parseReport(raw: Buffer): Check[] {
  const checks: Check[] = [];
  for (const line of demultiplex(raw).split("\n")) {
    const [verdict, name, detail] = line.split("\t");
    if ((verdict !== "ok" && verdict !== "FAIL") || name === undefined || detail === undefined) {
      continue;
    }
    if (checks.length === mostChecks) break;
    checks.push({ name: plain(name), ok: verdict === "ok", detail: plain(detail) });
  }
  if (checks.length > 0) return checks;
  return [{ name: "probe", ok: false, detail: "it ended without a report" }];
}

/** Printable ASCII of bounded length: it is shown to people, and may be anything. */
const plain = (text: string) => text.replace(/[^ -~]/g, "?").slice(0, longestText);
