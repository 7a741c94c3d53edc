import { describe, expect, it } from "vitest";
import { decideClock, keepingOf, lookAtClock, type ClockFacts } from "../../../src/doctor/clock.js";
import { fakeMachine } from "./fake-machine.js";

const now = new Date("2027-03-01T12:00:00Z");
const at = (iso: string) => ({ newest: { path: "/var/lib/berth/users", at: new Date(iso) } });

describe("clock", () => {
  it.each<[string, string, ClockFacts]>([
    ["ok", "kept by NTP", { now, keeping: "kept", ...at("2027-03-01T11:00:00Z") }],
    ["ok", "that nobody knows to be kept", { now, keeping: "unknown" }],
    ["ok", "a little behind a file", { now, keeping: "kept", ...at("2027-03-01T12:09:00Z") }],
    ["warning", "that nothing keeps", { now, keeping: "nobody" }],
    [
      "failure",
      "behind Berth's own files",
      { now, keeping: "kept", ...at("2027-03-02T12:00:00Z") },
    ],
    ["warning", "that no time server has set", { now, keeping: "not yet" }],
    ["failure", "before Berth was made", { now: new Date(0), keeping: "kept" }],
  ])("%s with one %s", (status, _which, facts) => {
    expect(decideClock(facts)).toMatchObject([{ check: "clock", status }]);
  });

  it("is looked at without a data directory, too", async () => {
    const found = await lookAtClock(fakeMachine(), undefined, ["chrony.service"]);
    expect(found).toHaveLength(1);
    expect(found[0]?.check).toBe("clock");
  });

  it("names the file that is ahead", () => {
    const [finding] = decideClock({ now, keeping: "kept", ...at("2028-01-01T00:00:00Z") });
    expect(finding?.what).toContain("/var/lib/berth/users was written 2028-01-01");
  });
});

describe("keepingOf", () => {
  const on = (...services: string[]) => ({
    services,
    isInContainer: false,
    hasSynchronised: false,
  });
  it.each([
    ["unknown", { ...on(), services: undefined }],
    ["nobody", on("ssh.service")],
    ["unknown", { ...on("ssh.service"), isInContainer: true }],
    ["kept", on("chrony.service")],
    ["kept", on("ssh.service", "phc2sys.service")],
    ["kept", on("ptp4l.service")],
    ["kept", on("ptp4l@eth0.service")],
    ["kept", on("timemaster.service")],
    ["nobody", on("ptp4l.timer", "user@0.service")],
    ["not yet", on("systemd-timesyncd.service")],
    ["kept", { ...on("systemd-timesyncd.service"), hasSynchronised: true }],
  ])("is %s with %j", (keeping, facts) => {
    expect(keepingOf(facts)).toBe(keeping);
  });
});
