import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { Finding } from "../cli/local.js";
import type { Config } from "../config.js";
import { ignoring } from "../lib/errors.js";
import { failure, faultsOr, inOrder, warning } from "./findings.js";
import type { Machine } from "./machine.js";

/** No clock is right that shows a time before this was written. */
const notBefore = new Date("2026-11-01T00:00:00Z");

/** A restored backup, another machine's file: so far ahead may a file be of a clock that is right. */
const toleranceMs = 10 * 60_000;

export interface ClockFacts {
  now: Date;
  /** Whether somebody keeps it right; undefined when nobody knows. */
  synchronised: boolean | undefined;
  /** The newest of Berth's own files. */
  newest?: { path: string; at: Date };
}

export async function lookAtClock(machine: Machine, { dataDir }: Config): Promise<Finding[]> {
  const newest = await newestOf(
    [".", "installation-id", "ca-key.pem", "sandboxes", "users"].map((name) => join(dataDir, name)),
  );
  const said = await machine.run("timedatectl", ["show", "--property=NTPSynchronized", "--value"]);
  const synchronised = said.ok ? { yes: true, no: false }[said.stdout.trim()] : undefined;
  return decideClock({ now: new Date(), synchronised, ...(newest ? { newest } : {}) });
}

async function newestOf(paths: string[]): Promise<ClockFacts["newest"]> {
  const files = await Promise.all(
    paths.map(async (path) => {
      const found = await ignoring(stat(path), "ENOENT", "ENOTDIR");
      return found ? [{ path, at: found.mtime }] : [];
    }),
  );
  return files.flat().sort((a, b) => b.at.getTime() - a.at.getTime())[0];
}

export function decideClock({ now, synchronised, newest }: ClockFacts): Finding[] {
  const check = "clock";
  const why =
    "certificates of a day hold from ten minutes before they are made: with a clock that is wrong, or that jumps, clients refuse the sandbox or are refused, and sandboxes end at the wrong time";
  const fix = "timedatectl set-ntp true; timedatectl timesync-status";
  const faults: Finding[] = [];
  if (now < notBefore) {
    const what = `it shows ${now.toISOString()}, before this version of Berth was made`;
    return [failure(check, { what, why, fix })];
  }
  if (newest && newest.at.getTime() > now.getTime() + toleranceMs) {
    const what = `it shows ${now.toISOString()}, but ${newest.path} was written ${newest.at.toISOString()}`;
    faults.push(failure(check, { what, why, fix }));
  }
  if (synchronised === false) {
    faults.push(warning(check, { what: "nothing keeps it right (no NTP)", why, fix }));
  }
  const kept =
    synchronised === true ? ", kept right by NTP" : "; whether NTP keeps it is not known";
  return faultsOr(faults, inOrder(check, `${now.toISOString()}${kept}`));
}
