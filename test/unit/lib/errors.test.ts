import { describe, expect, it } from "vitest";
import { BerthError, codeOf, errorCodes, ignoring, messageOf } from "../../../src/lib/errors.js";

describe("an error", () => {
  it("has a code that says what it is, each once", () => {
    expect(new Set(errorCodes).size).toBe(errorCodes.length);
    for (const code of errorCodes) expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/);
  });

  it("keeps what caused it and its single faults", () => {
    const cause = new Error("inside");
    const issues = [{ path: "ttl", message: "is too long" }];
    const error = new BerthError("TTL_TOO_LONG", "no", { cause, issues });
    expect(error).toMatchObject({ name: "BerthError", code: "TTL_TOO_LONG", cause, issues });
    expect(new BerthError("INTERNAL", "no").issues).toEqual([]);
  });
});

describe("the code of what was thrown", () => {
  it("is a BerthError's or the system's, and nothing else", () => {
    expect(codeOf(new BerthError("DISK_FULL", "full"))).toBe("DISK_FULL");
    expect(codeOf(Object.assign(new Error(), { code: "ENOENT" }))).toBe("ENOENT");
    for (const thrown of [new Error(), Object.assign(new Error(), { code: 7 }), null, "ENOENT"])
      expect(codeOf(thrown)).toBeUndefined();
  });

  it("decides what is ignored", async () => {
    const failing = (code: string): Promise<string> =>
      Promise.reject(Object.assign(new Error(code), { code }));
    expect(await ignoring(failing("ENOENT"), "ENOENT", "ESRCH")).toBeUndefined();
    expect(await ignoring(Promise.resolve(7), "ENOENT")).toBe(7);
    await expect(ignoring(failing("EACCES"), "ENOENT")).rejects.toThrow("EACCES");
    await expect(ignoring(Promise.reject(new Error("plain")), "ENOENT")).rejects.toThrow("plain");
  });
});

it("has a message for whatever was thrown", () => {
  expect(messageOf(new Error("why"))).toBe("why");
  expect(messageOf("text")).toBe("text");
  expect(messageOf(undefined)).toBe("undefined");
});
