import { describe, expect, it } from "vitest";
import { runWithin } from "../../../src/doctor/machine.js";

describe("a program of the machine", () => {
  it.each([
    ["that ends", ["-c", "echo done"], { ok: true, stdout: "done" }],
    [
      "that fails",
      ["-c", "echo first >&2; echo last >&2; exit 3"],
      { ok: false, reason: { kind: "failed", text: "last" } },
    ],
    [
      "that takes too long",
      ["-c", "exec sleep 20"],
      { ok: false, reason: { kind: "too slow", text: "no end after 0.3 s" } },
    ],
    [
      // As one that waits for a dead server, which no signal reaches.
      "that does not end when it is told to",
      ["-c", "trap '' TERM; for i in 1 2 3 4 5 6; do sleep 0.5; done"],
      { ok: false, reason: { kind: "too slow", text: "no end after 0.3 s" } },
    ],
  ])("%s", async (_which, args, outcome) => {
    const began = performance.now();
    expect(await runWithin(300, "sh", args)).toEqual(outcome);
    expect(performance.now() - began).toBeLessThan(2500);
  });

  it("that is not there", async () => {
    expect(await runWithin(300, "no-such-program", [])).toEqual({
      ok: false,
      reason: { kind: "not installed", text: "it is not installed" },
    });
  });
});
