import { describe, expect, it } from "vitest";
import { inOrder, look, sysctlFix } from "../../../src/doctor/findings.js";

describe("look", () => {
  it("gives what the probe found, one or several", async () => {
    const [one, other] = [inOrder("a", "1"), inOrder("b", "2")];
    expect(await look("a", () => one)).toEqual([one]);
    expect(await look("a", () => Promise.resolve([one, other]))).toEqual([one, other]);
  });

  it.each([
    ["at once", () => JSON.parse("{") as never],
    ["later", () => Promise.reject(new Error("EIO: i/o error"))],
  ])("makes a failure of the check of what throws %s", async (_when, probe) => {
    expect(await look("clock", probe)).toEqual([
      expect.objectContaining({
        check: "clock",
        status: "failure",
        what: expect.stringMatching(/^could not be looked at: \S/) as string,
      }),
    ]);
  });

  it("makes a failure of what never comes to an end", async () => {
    const never = () => new Promise<never>(() => undefined);
    const [finding] = await look("engine", never, 10);
    expect(finding).toMatchObject({
      check: "engine",
      status: "failure",
      what: "could not be looked at: no answer within 0.01 s",
    });
  });
});

describe("sysctlFix", () => {
  it("is one line to paste, for now and for each boot", () => {
    expect(sysctlFix({ "kernel.pid_max": 65_536, "fs.file-max": 1 })).toBe(
      "printf '%s\\n' 'kernel.pid_max = 65536' 'fs.file-max = 1' >>/etc/sysctl.d/95-berth-local.conf; sysctl --system",
    );
  });
});
