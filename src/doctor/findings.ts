import type { Fault, Finding } from "../cli/local.js";
import { messageOf } from "../lib/errors.js";

export const inOrder = (check: string, what: string): Finding => ({ check, status: "ok", what });

export const failure = (check: string, fault: Omit<Fault, "check" | "status">): Finding => ({
  check,
  status: "failure",
  ...fault,
});

export const warning = (check: string, fault: Omit<Fault, "check" | "status">): Finding => ({
  check,
  status: "warning",
  ...fault,
});

/** Those faults, or that all is in order. */
export const faultsOr = (faults: Finding[], whenNone: Finding): Finding[] =>
  faults.length > 0 ? faults : [whenNone];

/** How long one check may take: a machine that is in trouble answers late, or never. */
const patienceMs = 60_000;

/** What a check may come to. */
export type Found = Finding | Finding[];

/**
 * Does one check. One that throws, or does not come to an end, is a finding like any other: the report
 * is whole whatever happens.
 */
export async function look(
  check: string,
  probe: () => Found | Promise<Found>,
  timeoutMs = patienceMs,
): Promise<Finding[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`no answer within ${timeoutMs / 1000} s`));
    }, timeoutMs);
  });
  try {
    return [await Promise.race([Promise.resolve().then(probe), late])].flat();
  } catch (error) {
    return [
      failure(check, {
        what: `could not be looked at: ${messageOf(error)}`,
        why: "what Berth cannot look at, it cannot vouch for; a host in order answers at once",
      }),
    ];
  } finally {
    clearTimeout(timer);
  }
}

/** Sets kernel parameters now and at each boot; sysctl.d(5). */
export function sysctlFix(values: Record<string, number | string>): string {
  const lines = Object.entries(values).map(([name, value]) => `'${name} = ${value}'`);
  return `printf '%s\\n' ${lines.join(" ")} >>/etc/sysctl.d/95-berth-local.conf; sysctl --system`;
}
