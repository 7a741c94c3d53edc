import { describe, expect, it } from "vitest";
import {
  formatDuration,
  formatSize,
  parseDuration,
  parseSize,
  writeSize,
} from "../../../src/lib/units.js";

const KiB = 1024;
const hour = 3_600_000;

describe("a size", () => {
  it.each([
    ["0", 0],
    ["1", 1],
    ["512", 512],
    ["1K", KiB],
    ["512M", 512 * KiB ** 2],
    ["512m", 512 * KiB ** 2],
    ["1.5G", 1.5 * KiB ** 3],
    ["10GiB", 10 * KiB ** 3],
    ["10 GB", 10 * KiB ** 3],
    ["2T", 2 * KiB ** 4],
    [" 1G ", KiB ** 3],
    ["0.5K", 512],
    ["100B", 100],
  ])("is read from %j as %d bytes", (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  it.each([
    [0, "0"],
    [1000, "1000"],
    [KiB ** 3, "1G"],
    [1.5 * KiB ** 3, "1536M"],
    [KiB ** 3 + 1, "1073741825"],
    [2048 * KiB ** 4, "2048T"],
  ])("of %d bytes is written as %s, which reads back as the same", (bytes, text) => {
    expect(writeSize(bytes)).toBe(text);
    expect(parseSize(text)).toBe(bytes);
  });

  it.each([
    "",
    "G",
    "1Q",
    "-1G",
    "1e9",
    "1,5G",
    "1G 2M",
    "1.G",
    ".5G",
    "NaN",
    "0x10",
    "9".repeat(20),
  ])("is not read from %j", (text) => {
    expect(parseSize(text)).toBeUndefined();
  });

  it("is written as people read it, and reads back as the same", () => {
    expect(formatSize(0)).toBe("0 B");
    expect(formatSize(1023)).toBe("1023 B");
    expect(formatSize(1.5 * KiB ** 3)).toBe("1.5 GiB");
    expect(formatSize(100 * KiB ** 4)).toBe("100 TiB");
    expect(formatSize(5000 * KiB ** 4)).toBe("5000 TiB");
    for (const bytes of [1, KiB, 512 * KiB ** 2, 1.5 * KiB ** 3, 10 * KiB ** 3])
      expect(parseSize(formatSize(bytes))).toBe(bytes);
  });
});

describe("a duration", () => {
  it.each([
    ["90s", 90_000],
    ["30m", hour / 2],
    ["2h", 2 * hour],
    ["1d", 24 * hour],
    ["1h30m", 1.5 * hour],
    ["1.5h", 1.5 * hour],
    ["0s", 0],
    ["1d12h", 36 * hour],
  ])("is read from %j as %d ms", (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each(["", "0", "90", "soon", "-1h", "1h 30m", "1w", "1H", "h", "1e3s", `${"9".repeat(20)}h`])(
    "is not read from %j",
    (text) => {
      expect(parseDuration(text)).toBeUndefined();
    },
  );

  it.each([
    [0, "0s"],
    [-5, "0s"],
    [499, "0s"],
    [59_000, "59s"],
    [60_000, "1m"],
    [5_400_000, "1h 30m"],
    [7 * 24 * hour, "7d"],
    [24 * hour + 60_000, "1d"],
    [25 * hour + 60_000, "1d 1h"],
  ])("of %d ms is written %j", (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});
