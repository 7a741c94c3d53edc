import { describe, expect, it } from "vitest";
import type { Incident } from "../../../src/http/page/model/types.js";
import { freshIncidents, incidentLines } from "../../../src/http/page/model/incidents.js";

const incident = (minute: number, text: string, count = 1, kind: Incident["kind"] = "memory") => ({
  kind,
  text,
  at: `2026-01-01T12:0${minute}:00.000Z`,
  count,
});

describe("the incidents on a card", () => {
  it("are the latest three, newest first, with their counts", () => {
    const all = [incident(1, "a"), incident(2, "b"), incident(3, "c", 2), incident(4, "d")];
    expect(incidentLines(all).map(({ text }) => text)).toEqual(["d", "c (2 times)", "b"]);
    expect(incidentLines([])).toEqual([]);
  });

  it("are announced when they are new, not when they happen again", () => {
    const before = [incident(1, "a")];
    expect(freshIncidents(before, before)).toEqual([]);
    expect(freshIncidents(before, [incident(2, "a", 2)])).toEqual([]);
    const disk = incident(3, "full", 1, "disk");
    expect(freshIncidents(before, [incident(2, "a", 2), disk])).toEqual([disk]);
    expect(freshIncidents([], [disk])).toEqual([disk]);
  });
});
