import { describe, expect, it } from "vitest";
import {
  escapeUnitName,
  sliceName,
  unescapeUnitName,
  unitObjectPath,
  userOfSlice,
} from "../../../src/slice/escape.js";

// Printed by systemd-escape of systemd 252.
const known: [text: string, escaped: string][] = [
  ["", ""],
  ["ann", "ann"],
  ["a-b", "a\\x2db"],
  ["a--b-", "a\\x2d\\x2db\\x2d"],
  ["a.b", "a.b"],
  ["a_b", "a_b"],
  [".hid", "\\x2ehid"],
  ["..", "\\x2e."],
  ["-", "\\x2d"],
  ["/", "-"],
  ["a/b", "a-b"],
  ["/a/", "-a-"],
  ["a b", "a\\x20b"],
  ["ü", "\\xc3\\xbc"],
  ["\\", "\\x5c"],
  ["a\\x2db", "a\\x5cx2db"],
  ["A:B@c", "A:B\\x40c"],
  ["a~b+c,d=e", "a\\x7eb\\x2bc\\x2cd\\x3de"],
];

describe("escapeUnitName", () => {
  it.each(known)("writes %j as systemd-escape does: %j", (text, escaped) => {
    expect(escapeUnitName(text)).toBe(escaped);
  });

  it.each(known)("gives %j back from its escaped form", (text, escaped) => {
    expect(unescapeUnitName(escaped)).toBe(text);
  });

  it.each(["\\", "\\x", "\\x2", "\\x2g", "a\\y", "\\X2d"])(
    "refuses the broken escape %j",
    (text) => {
      expect(unescapeUnitName(text)).toBeUndefined();
    },
  );
});

describe("sliceName", () => {
  const first = "abcdefghijklmnopqrstuvwxyz".split(/(?=.)/);
  const later = [...first, ..."0123456789_.-".split(/(?=.)/)];

  it("gives every user a slice directly below berth.slice, and the user back from it", () => {
    const users = first.flatMap((one) => [
      one,
      ...later.flatMap((two) => later.map((three) => `${one}${two}${three}`)),
    ]);
    users.push("a".repeat(32), `a${"-".repeat(31)}`, "x.slice", "a.", "a-slice.b");
    const names = users.map(sliceName);
    expect(new Set(names).size).toBe(users.length);
    expect(names.filter((name) => name.split("-").length !== 2)).toEqual([]);
    expect(names.map(userOfSlice)).toEqual(users);
  });

  it("stays within the 255 characters of a unit name", () => {
    expect(sliceName(`a${"-".repeat(31)}`).length).toBeLessThanOrEqual(255);
  });

  it.each([
    ["berth.slice", "the ceiling itself"],
    ["berth-.slice", "an empty user"],
    ["berth-a-b.slice", "a child of berth-a.slice"],
    ["berth-\\x61nn.slice", "another spelling of ann"],
    ["berth-a\\x2Db.slice", "another spelling of a-b"],
    ["berth-Ann.slice", "no valid user"],
    [`berth-${"a".repeat(33)}.slice`, "a user too long"],
    ["berth-ann.service", "no slice"],
    ["xberth-ann.slice", "another prefix"],
    ["user-1000.slice", "a stranger's"],
  ])("knows no user for %j: %s", (name) => {
    expect(userOfSlice(name)).toBeUndefined();
  });
});

describe("unitObjectPath", () => {
  it.each([
    ["berth-ann.slice", "berth_2dann_2eslice"],
    ["berth-a\\x2db_c.slice", "berth_2da_5cx2db_5fc_2eslice"],
    ["0a1.slice", "_30a1_2eslice"],
  ])("names the object of %j", (unit, label) => {
    expect(unitObjectPath(unit)).toBe(`/org/freedesktop/systemd1/unit/${label}`);
  });
});
