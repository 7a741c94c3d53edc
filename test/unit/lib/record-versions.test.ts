import { describe, expect, it } from "vitest";
import { BerthError } from "../../../src/lib/errors.js";
import { currentVersion, migrate, type History } from "../../../src/lib/record-versions.js";

/** Version 1 had a size in megabytes, 2 has bytes, 3 a colour besides. */
const history: History = {
  oldest: 1,
  migrations: [
    ({ sizeMb, ...rest }) => ({ ...rest, sizeBytes: Number(sizeMb) * 1_000_000 }),
    (record) => ({ ...record, colour: "grey" }),
  ],
};

describe("migrate", () => {
  it("takes a record through every version in order, and changes nothing of what it was given", () => {
    const old = { version: 1, name: "box", sizeMb: 2 };
    expect(migrate(old, history, "box.json")).toEqual({
      version: 3,
      name: "box",
      sizeBytes: 2_000_000,
      colour: "grey",
    });
    expect(old).toEqual({ version: 1, name: "box", sizeMb: 2 });
  });

  it("goes on from the version a record has", () => {
    const json = migrate({ version: 2, sizeBytes: 5 }, history, "box.json");
    expect(json).toEqual({ version: 3, sizeBytes: 5, colour: "grey" });
  });

  it("leaves a record of today as it is", () => {
    const today = { version: 3, sizeBytes: 5, colour: "red" };
    expect(migrate(today, history, "box.json")).toEqual(today);
    expect(currentVersion(history)).toBe(3);
  });

  it("refuses a newer one, naming the file, both versions and the way out", () => {
    const newer = () => migrate({ version: 4 }, history, "/data/box.json");
    expect(newer).toThrow(BerthError);
    expect(newer).toThrow(/\/data\/box\.json is of version 4.* none above 3.*install that Berth/);
  });

  it.each([
    ["no object", "[]", []],
    ["null", "null", null],
    ["a version that is no number", "text", { version: "3" }],
    ["a version between two", "1.5", { version: 1.5 }],
    ["one older than any there was", "0", { sizeMb: 1 }],
  ])("leaves %s to the schema", (_what, _said, json) => {
    expect(migrate(json, history, "box.json")).toEqual(json);
  });
});
