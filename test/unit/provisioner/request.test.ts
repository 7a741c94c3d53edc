import { describe, expect, it } from "vitest";
import type { ResizeRequest } from "../../../src/lib/contract/sandbox.js";
import { BerthError } from "../../../src/lib/errors.js";
import { checkUsage, decideResize } from "../../../src/provisioner/request.js";
import type { Settings } from "../../../src/provisioner/settings.js";

const MiB = 1024 ** 2;
const GiB = 1024 ** 3;
const before = { memoryBytes: GiB, cpus: 1.5, pids: 512, diskBytes: 10 * GiB };
const settings = {
  minLimits: { memoryBytes: 192 * MiB, cpus: 0.1, pids: 64, diskBytes: 128 * MiB },
  maxLimits: { memoryBytes: 4 * GiB, cpus: 4, pids: 2048, diskBytes: 40 * GiB },
} as Settings;

/** What a refusal says, and of which limit. */
function refusal(act: () => unknown) {
  try {
    act();
  } catch (error) {
    if (!(error instanceof BerthError)) throw error;
    return { code: error.code, text: error.message, at: error.issues.map(({ path }) => path) };
  }
  throw new Error("it was not refused");
}

describe("the limits a sandbox is to have", () => {
  it.each<[ResizeRequest, object]>([
    [{ memory: 2 * GiB }, { memoryBytes: 2 * GiB }],
    [{ memory: 512 * MiB }, { memoryBytes: 512 * MiB }],
    [
      { cpus: 4, pids: 64 },
      { cpus: 4, pids: 64 },
    ],
    [{ disk: 40 * GiB }, { diskBytes: 40 * GiB }],
    [{ disk: 10 * GiB }, {}],
    [
      { memory: 192 * MiB, cpus: 0.1, pids: 2048, disk: 11 * GiB },
      { memoryBytes: 192 * MiB, cpus: 0.1, pids: 2048, diskBytes: 11 * GiB },
    ],
  ])("are those asked for (%j) on those there are", (request, changed) => {
    expect(decideResize(request, before, settings)).toEqual({ ...before, ...changed });
  });

  it.each<[ResizeRequest, string, RegExp]>([
    [{ memory: 191 * MiB }, "memory", /191 MiB is out of range; it may be from 192 MiB to 4 GiB/],
    [{ memory: 5 * GiB }, "memory", /5 GiB is out of range/],
    [{ cpus: 4.1 }, "cpus", /from 0.1 to 4/],
    [{ cpus: 0.09 }, "cpus", /from 0.1 to 4/],
    [{ pids: 63 }, "pids", /from 64 to 2048/],
    [{ pids: 2049 }, "pids", /from 64 to 2048/],
    [{ disk: 41 * GiB }, "disk", /41 GiB is out of range/],
    [{ disk: 9 * GiB }, "disk", /9G is less than the 10G it has, .* create a new sandbox/],
    [{ memory: 2 * GiB, pids: 1 }, "pids", /out of range/],
  ])("are refused when they are out of range or a smaller disk (%j)", (request, at, text) => {
    const refused = refusal(() => decideResize(request, before, settings));
    expect(refused).toMatchObject({ code: "LIMIT_OUT_OF_RANGE", at: [at] });
    expect(refused.text).toMatch(text);
  });

  it("are not held against ceilings that came down, but for what is asked", () => {
    const roomy = { ...before, memoryBytes: 8 * GiB };
    expect(decideResize({ cpus: 2 }, roomy, settings)).toEqual({ ...roomy, cpus: 2 });
    expect(refusal(() => decideResize({ memory: 7 * GiB }, roomy, settings)).at).toEqual([
      "memory",
    ]);
  });
});

describe("limits below what is used", () => {
  const used = { memoryBytes: 600.5 * MiB, pids: 100 };

  it.each([
    [{ memoryBytes: 600 * MiB }, "memory", /600M is less than the 601M in use now; stop some/],
    [{ pids: 99 }, "pids", /99 is less than the 100 processes and threads that run now; stop some/],
  ])("are refused with what is used and the way out (%j)", (change, at, text) => {
    const refused = refusal(() => {
      checkUsage({ ...before, ...change }, before, used);
    });
    expect(refused).toMatchObject({ code: "LIMIT_OUT_OF_RANGE", at: [at] });
    expect(refused.text).toMatch(text);
  });

  it.each([{ memoryBytes: 601 * MiB }, { pids: 100 }, { cpus: 0.1 }])(
    "are those only: %j is not",
    (change) => {
      checkUsage({ ...before, ...change }, before, used);
    },
  );

  it("do not keep another limit from changing when they were there before", () => {
    const full = { ...before, memoryBytes: 500 * MiB, pids: 90 };
    checkUsage({ ...full, pids: 95 }, full, used);
  });
});
