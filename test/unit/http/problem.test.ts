import { describe, expect, it } from "vitest";
import { problemOf, statuses } from "../../../src/http/problem.js";
import { problemSchema } from "../../../src/lib/contract/problem.js";
import { BerthError, errorCodes } from "../../../src/lib/errors.js";

describe("the table of statuses", () => {
  it("has every code, with a status of an error and a title", () => {
    expect(Object.keys(statuses).sort()).toEqual([...errorCodes].sort());
    for (const [code, { status, title }] of Object.entries(statuses)) {
      expect(status, code).toBeGreaterThanOrEqual(400);
      expect(status, code).toBeLessThan(600);
      expect(title, code).toMatch(/^\S.*[^.]$/);
    }
  });
});

describe("a problem", () => {
  it.each(errorCodes)("of %s is one by RFC 9457, with the code's own status", (code) => {
    const problem = problemSchema.strict().parse(problemOf(new BerthError(code, "what to do")));
    expect(problem).toEqual({
      type: `urn:berth:error:${code}`,
      ...statuses[code],
      detail: "what to do",
      code,
    });
  });

  it("names single faults, and never what caused the error", () => {
    const issues = [{ path: "ttl", message: "is too long" }];
    const cause = new Error("inside /var/lib/berth");
    const problem = problemOf(new BerthError("TTL_TOO_LONG", "no", { issues, cause }));
    expect(problem.errors).toEqual(issues);
    expect(JSON.stringify(problem)).not.toContain("inside");
  });

  it.each([
    new Error("ENOENT: /var/lib/berth/secret"),
    new TypeError("cannot read properties of undefined (reading 'secret')"),
    Object.assign(new Error("secret of the engine"), { statusCode: 404, reason: "secret" }),
    Object.assign(new Error("secret"), { status: 500 }),
    { type: "entity.parse.failed", secret: true },
    "secret",
    undefined,
    null,
  ])("of what is no error of ours tells nothing of the inside (%s)", (thrown) => {
    const problem = problemOf(thrown);
    expect(problem).toMatchObject({ code: "INTERNAL", status: 500 });
    expect(JSON.stringify(problem)).not.toContain("secret");
  });
});
