// @vitest-environment happy-dom
import { cleanup, render } from "@testing-library/preact";
import { afterEach, describe, expect, it } from "vitest";
import { Waits } from "../../src/http/page/views/sandbox/usage.js";
import type { Usage } from "../../src/http/page/model/types.js";

afterEach(cleanup);

const none = { somePercent: 0, fullPercent: 0 };

function told(usedShare: number, somePercent: number): string {
  const usage: Usage = {
    at: "2027-03-01T12:00:00.000Z",
    memory: { usedBytes: usedShare * 2 ** 30, limitBytes: 2 ** 30, kills: 0 },
    cpu: { usedSeconds: 1, limitCpus: 1, throttledPercent: 0 },
    pids: { used: 1, limit: 512, limitHits: 0 },
    disk: { usedBytes: 1, limitBytes: 2, freeBytes: 1, freeInodes: 1 },
    pressure: { cpu: none, memory: { somePercent, fullPercent: 0 }, io: none },
  };
  return render(<Waits usage={usage} />).container.textContent;
}

describe("what a sandbox waited for", () => {
  it.each([
    [
      0.95,
      12.4,
      "In the last minute it had to wait for memory 12 % of the time: nearly all it may use is taken.",
    ],
    [0.3, 12.4, "In the last minute it had to wait for memory 12 % of the time."],
    [0.95, 1, ""],
  ])("with %d of its memory used, and %d %% of waiting", (usedShare, somePercent, text) => {
    expect(told(usedShare, somePercent)).toBe(text);
  });
});
