import { describe, expect, it } from "vitest";
import { z } from "zod";
import { BerthError } from "../../../src/lib/errors.js";
import { parseStrictly, suggestion } from "../../../src/lib/strict-issues.js";

const limits = z.strictObject({ memory: z.string().optional(), cpus: z.number().optional() });
const schema = z.strictObject({
  name: z.string().regex(/^[a-z]+$/, "must be lower-case letters"),
  limits: limits.prefault({}),
  profiles: z
    .record(
      z.string().regex(/^\w+$/, "must be one word"),
      z.strictObject({ ttl: z.string().optional() }),
    )
    .default({}),
  range: z
    .union([z.string().regex(/^\d+$/, "must be digits"), z.strictObject({ from: z.number() })])
    .optional(),
});

function refusalOf(value: unknown): BerthError {
  try {
    parseStrictly(schema, value, "the file");
  } catch (error) {
    if (error instanceof BerthError) return error;
    throw error;
  }
  throw new Error("it was accepted");
}

describe("parsing strictly", () => {
  it("gives what the schema makes of a valid value", () => {
    expect(parseStrictly(schema, { name: "a" }, "the file")).toEqual({
      name: "a",
      limits: {},
      profiles: {},
    });
  });

  it("names the thing, the path and the fault, with the code that was asked for", () => {
    const error = refusalOf({ name: "A" });
    expect(error.code).toBe("INVALID_REQUEST");
    expect(error.message).toBe("the file is not valid: name: must be lower-case letters");
    expect(error.issues).toEqual([{ path: "name", message: "must be lower-case letters" }]);
    expect(() => parseStrictly(schema, {}, "it", "CONFIG_INVALID")).toThrow(
      expect.objectContaining({ code: "CONFIG_INVALID" }) as Error,
    );
  });

  it.each([
    ["at the top", { name: "a", limts: {} }, "limts", 'unknown key, did you mean "limits"?'],
    [
      "below a default",
      { name: "a", limits: { memroy: "1" } },
      "limits.memroy",
      'unknown key, did you mean "memory"?',
    ],
    [
      "in a record's value",
      { name: "a", profiles: { db: { tll: "1h" } } },
      "profiles.db.tll",
      'unknown key, did you mean "ttl"?',
    ],
    [
      "far from all known",
      { name: "a", limits: { bandwidth: 1 } },
      "limits.bandwidth",
      "unknown key; known: memory, cpus",
    ],
  ])("names the nearest known key of an unknown one %s", (_where, value, path, message) => {
    expect(refusalOf(value).issues).toEqual([{ path, message }]);
  });

  it("tells each fault when there are several", () => {
    const error = refusalOf({ name: 1, limits: { cpus: "x", cpu: 1 }, more: 1 });
    expect(error.issues.map(({ path }) => path)).toEqual([
      "name",
      "limits.cpus",
      "limits.cpu",
      "more",
    ]);
  });

  it.each([
    ["x", "range", "must be digits"],
    [true, "range", "Invalid input: expected string, received boolean"],
    [{ from: "x" }, "range.from", "Invalid input: expected number, received string"],
    [{ from: 1, form: 2 }, "range.form", 'unknown key, did you mean "from"?'],
  ])("tells of %j, which may be of two kinds, what its own kind lacks", (range, path, message) => {
    expect(refusalOf({ name: "a", range }).issues).toContainEqual({ path, message });
  });

  it("tells what is wrong with a key", () => {
    const error = refusalOf({ name: "a", profiles: { "A B": {} } });
    expect(error.issues).toEqual([{ path: "profiles.A B", message: "must be one word" }]);
  });

  it.each([null, [], "text", 7, true, undefined])("refuses %j for an object", (value) => {
    expect(refusalOf(value).message).toMatch(/expected object, received/);
  });
});

describe("a suggestion", () => {
  it("overlooks case and small slips, and lists all when nothing is near", () => {
    const known = ["memory", "cpus", "publicHosts"];
    expect(suggestion("Memory", known)).toContain('"memory"');
    expect(suggestion("publichost", known)).toContain('"publicHosts"');
    expect(suggestion("zzzzzzzz", known)).toBe("; known: memory, cpus, publicHosts");
    expect(suggestion("x", [])).toBe("");
  });
});
