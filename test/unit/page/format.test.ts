import { describe, expect, it } from "vitest";
import * as page from "../../../src/http/page/model/format.js";
import { parseDuration, parseSize } from "../../../src/lib/units.js";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

describe("formatCountdown", () => {
  it.each([
    [-1, "0:00:00"],
    [999, "0:00:00"],
    [4 * minuteMs + 9000, "0:04:09"],
    [24 * hourMs - 1, "23:59:59"],
    [51 * hourMs, "2 d 03:00:00"],
  ])("shows %d ms as %s", (ms, text) => {
    expect(page.formatCountdown(ms)).toBe(text);
  });
});

describe("formatLeft", () => {
  it.each([
    [0, "time is up"],
    [59_000, "less than 1 min"],
    [14 * minuteMs, "14 min"],
    [2 * hourMs, "2 h"],
    [23 * hourMs + 41 * minuteMs, "23 h 41 min"],
    [51 * hourMs, "2 d 3 h"],
  ])("shows %d ms as %s", (ms, text) => {
    expect(page.formatLeft(ms)).toBe(text);
  });
});

describe("formatWhen", () => {
  it("names the day, and the date when the day alone would not do", () => {
    const now = Date.UTC(2026, 0, 1, 12);
    expect(page.formatWhen(now, now)).toMatch(/^Thu \d\d:\d\d$/);
    expect(page.formatWhen(now + 7 * 24 * hourMs, now)).toMatch(/8 Jan/);
    expect(page.formatWhen("soon", now)).toBe("at an unknown time");
  });
});

describe("urgency", () => {
  it.each([
    [15 * minuteMs, "calm"],
    [15 * minuteMs - 1, "soon"],
    [1, "soon"],
    [0, "over"],
  ])("with %d ms left is %s", (ms, word) => {
    expect(page.urgency(ms)).toBe(word);
  });
});

describe("formatSize", () => {
  it.each([
    [0, "0 B"],
    [1023, "1023 B"],
    [1.5 * 2 ** 30, "1.5 GiB"],
    [2 ** 30 - 1, "1 GiB"],
    [300 * 2 ** 20, "300 MiB"],
  ])("shows %d bytes as %s", (bytes, text) => {
    expect(page.formatSize(bytes)).toBe(text);
  });
});

describe("formatMs", () => {
  it.each([
    [5.4, "5\u00a0ms"],
    [999, "999\u00a0ms"],
    [1320, "1.32\u00a0s"],
  ])("shows %d ms as %s", (ms, text) => {
    expect(page.formatMs(ms)).toBe(text);
  });
});

describe("what stands in an empty field", () => {
  it.each([2 ** 30, 1.5 * 2 ** 30, 512 * 2 ** 20, 1_000_000_007, 100])(
    "is a size that the API reads back as %d bytes",
    (bytes) => {
      expect(parseSize(page.sizeForInput(bytes))).toBe(bytes);
    },
  );

  it.each([24 * hourMs, 90 * minuteMs, 7 * 24 * hourMs, minuteMs])(
    "is a duration that the API reads back as %d ms",
    (ms) => {
      expect(parseDuration(page.durationForInput(ms))).toBe(ms);
    },
  );
});

describe("coresBetween", () => {
  const at = (second: number, seconds: number) => ({
    at: new Date(second * 1000).toISOString(),
    seconds,
  });

  it("is processor time by wall time", () => {
    expect(page.coresBetween(at(10, 3), at(15, 5.5))).toBe(0.5);
  });

  it("is unknown when the sandbox was started again or no time went by", () => {
    expect(page.coresBetween(at(10, 30), at(15, 1))).toBeUndefined();
    expect(page.coresBetween(at(10, 3), at(10, 3))).toBeUndefined();
  });
});

describe("fraction", () => {
  it.each([
    [1, 4, 0.25],
    [5, 4, 1],
    [1, 0, 0],
  ])("of %d in %d is %d", (used, limit, share) => {
    expect(page.fraction(used, limit)).toBe(share);
  });
});

describe("freeName", () => {
  it("is the first that is not taken", () => {
    expect(page.freeName([])).toBe("default");
    expect(page.freeName(["default", "web", "default-2"])).toBe("default-3");
  });
});
