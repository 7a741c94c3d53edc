import { describe, expect, it } from "vitest";
import { decideClock, type ClockFacts } from "../../../src/doctor/clock.js";

const now = new Date("2027-03-01T12:00:00Z");
const at = (iso: string) => ({ newest: { path: "/var/lib/berth/users", at: new Date(iso) } });

describe("clock", () => {
  it.each<[string, string, ClockFacts]>([
    ["ok", "kept by NTP", { now, synchronised: true, ...at("2027-03-01T11:00:00Z") }],
    ["ok", "that nobody knows to be kept", { now, synchronised: undefined }],
    ["ok", "a little behind a file", { now, synchronised: true, ...at("2027-03-01T12:09:00Z") }],
    ["warning", "that nothing keeps", { now, synchronised: false }],
    [
      "failure",
      "behind Berth's own files",
      { now, synchronised: true, ...at("2027-03-02T12:00:00Z") },
    ],
    ["failure", "before Berth was made", { now: new Date(0), synchronised: true }],
  ])("%s with one %s", (status, _which, facts) => {
    expect(decideClock(facts)).toMatchObject([{ check: "clock", status }]);
  });

  it("names the file that is ahead", () => {
    const [finding] = decideClock({ now, synchronised: true, ...at("2028-01-01T00:00:00Z") });
    expect(finding?.what).toContain("/var/lib/berth/users was written 2028-01-01");
  });
});
