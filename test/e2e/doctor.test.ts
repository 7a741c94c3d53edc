import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { faults } from "./doctor-faults.js";
import { lineOf, type Injected } from "./inject-fault.js";
import { ok, onHost } from "./support.js";

// The real doctor on the real host, with one real fault at a time (doctor-faults.ts).

const finding = z.object({
  check: z.string(),
  status: z.enum(["ok", "warning", "failure"]),
  what: z.string(),
  why: z.string().optional(),
  fix: z.string().optional(),
});
type Finding = z.output<typeof finding>;
const report = z.object({ ok: z.boolean(), url: z.url(), findings: z.array(finding) });

/** What the doctor says, and with which exit code it ends. */
async function examine(injected: Partial<Injected> = {}) {
  const { code, stdout, stderr } = await onHost(lineOf(injected));
  if (stdout === "") throw new Error(`the fault could not be made: ${stderr}`);
  return { code, ...report.parse(JSON.parse(stdout)) };
}

const tells = ({ check, status, what, fix }: Injected, finding: Finding): boolean =>
  finding.check === check &&
  finding.status === status &&
  what.test(finding.what) &&
  fix.test(finding.fix ?? "");

/** Of the host, what the faults are about. */
async function traces(): Promise<string> {
  return ok(
    await onHost(`
      findmnt -rno TARGET,SOURCE,FSTYPE | sort
      losetup -lnO NAME,BACK-FILE
      ip -o link | cut -d: -f2
      ip route
      cd /proc/sys
      head -v user/max_user_namespaces user/max_mnt_namespaces net/ipv4/ip_forward kernel/osrelease kernel/pty/max \
        kernel/keys/root_maxkeys fs/inotify/max_user_instances
      ls -A /mnt /var/lib/berth /run/berth
      cksum /etc/subuid /var/lib/berth/installation-id
      ps -eo args | grep '[e]ngine.cjs' || true
    `),
  );
}

let healthy: Awaited<ReturnType<typeof examine>>;
let before: string;

beforeAll(async () => {
  healthy = await examine();
  before = await traces();
});

afterEach(async () => {
  expect(await traces()).toBe(before);
});

describe("berth doctor", () => {
  it("has no failure on a host in order, and exits 0", () => {
    expect(healthy.findings.filter(({ status }) => status === "failure")).toEqual([]);
    expect(healthy).toMatchObject({ ok: true, code: 0 });
  });

  it.each(Object.entries(faults))(
    "finds %s, and says why that matters",
    async (_name, injected) => {
      const { ok: isOk, code, findings } = await examine(injected);
      // Seen to be the fault's, not the host's own.
      expect(healthy.findings.filter((finding) => tells(injected, finding))).toEqual([]);
      const theirs = findings.filter(({ check }) => check === injected.check);
      const told = theirs.find((finding) => tells(injected, finding));
      expect(told, JSON.stringify(theirs)).toBeDefined();
      // Of what comes along with it as well.
      const faulty = findings.filter(({ status }) => status !== "ok");
      expect(faulty).toContain(told);
      expect(faulty.filter(({ why }) => !why)).toEqual([]);
      const fails = findings.some(({ status }) => status === "failure");
      expect({ isOk, code }).toEqual(fails ? { isOk: false, code: 1 } : { isOk: true, code: 0 });
    },
  );
});
