import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { Finding } from "../cli/local.js";
import { ignoring } from "../lib/errors.js";
import { failure, faultsOr, inOrder, warning } from "./findings.js";
import type { Machine } from "./machine.js";

/** No clock is right that shows a time before this was written. */
const notBefore = new Date("2026-11-01T00:00:00Z");

/** A restored backup, another machine's file: so far ahead may a file be of a clock that is right. */
const toleranceMs = 10 * 60_000;

/** Services that keep a clock right by NTP or PTP, as distributions call them. */
const keepers = [
  "systemd-timesyncd",
  "chrony",
  "chronyd",
  "ntpsec",
  "ntp",
  "ntpd",
  "openntpd",
  "phc2sys",
  "ptp4l",
  "timemaster",
];

/** Whether one of these services is that, or one of several of it: `ptp4l@eth0.service`. */
const runs = (services: string[], name: string): boolean =>
  services.some((service) => service.replace(/(@.*)?\.service$/, "") === name);

export type Keeping = "kept" | "not yet" | "nobody" | "unknown";

export interface ClockFacts {
  now: Date;
  keeping: Keeping;
  /** The newest of Berth's own files. */
  newest?: { path: string; at: Date };
}

/**
 * @param dataDir undefined when it does not answer
 * @param services active ones; undefined when systemd does not say
 */
export async function lookAtClock(
  machine: Machine,
  dataDir: string | undefined,
  services: string[] | undefined,
): Promise<Finding[]> {
  const [newest, isInContainer, hasSynchronised] = await Promise.all([
    newestOf([".", "installation-id", "ca-key.pem", "sandboxes", "users"], dataDir),
    machine.exists("/run/systemd/container"),
    // systemd-timesyncd.service(8)
    machine.exists("/run/systemd/timesync/synchronized"),
  ]);
  const keeping = keepingOf({ services, isInContainer, hasSynchronised });
  return decideClock({ now: new Date(), keeping, ...(newest ? { newest } : {}) });
}

/** Who keeps the clock. A container has the machine's, and does not see by whom that is kept. */
export function keepingOf(facts: {
  services: string[] | undefined;
  isInContainer: boolean;
  hasSynchronised: boolean;
}): Keeping {
  const { services, isInContainer, hasSynchronised } = facts;
  if (services === undefined) return "unknown";
  const [keeper] = keepers.filter((name) => runs(services, name));
  if (keeper === undefined) return isInContainer ? "unknown" : "nobody";
  return keeper === "systemd-timesyncd" && !hasSynchronised ? "not yet" : "kept";
}

async function newestOf(
  names: string[],
  dataDir: string | undefined,
): Promise<ClockFacts["newest"]> {
  if (dataDir === undefined) return undefined;
  const files = await Promise.all(
    names.map(async (name) => {
      const path = join(dataDir, name);
      const found = await ignoring(stat(path), "ENOENT", "ENOTDIR");
      return found ? [{ path, at: found.mtime }] : [];
    }),
  );
  return files.flat().sort((a, b) => b.at.getTime() - a.at.getTime())[0];
}

export function decideClock({ now, keeping, newest }: ClockFacts): Finding[] {
  const check = "clock";
  const why =
    "certificates of a day hold from ten minutes before they are made: with a clock that is wrong, or that jumps, clients refuse the sandbox or are refused, and sandboxes end at the wrong time";
  const fix =
    "apt-get install systemd-timesyncd; timedatectl set-ntp true; timedatectl timesync-status";
  if (now < notBefore) {
    const what = `it shows ${now.toISOString()}, before this version of Berth was made`;
    return [failure(check, { what, why, fix })];
  }
  const faults: Finding[] = [];
  if (newest && newest.at.getTime() > now.getTime() + toleranceMs) {
    const what = `it shows ${now.toISOString()}, but ${newest.path} was written ${newest.at.toISOString()}`;
    faults.push(failure(check, { what, why, fix }));
  }
  if (keeping === "nobody")
    faults.push(warning(check, { what: "nothing keeps it right", why, fix }));
  if (keeping === "not yet") {
    const what = "systemd-timesyncd has not reached a time server since the boot";
    faults.push(warning(check, { what, why, fix }));
  }
  const kept =
    keeping === "kept" ? ", kept right" : "; whether something keeps it right is not known";
  return faultsOr(faults, inOrder(check, now.toISOString() + kept));
}
