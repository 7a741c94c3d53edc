import { describe, expect, it } from "vitest";
import { decideCeiling, lookAtCeiling } from "../../../src/doctor/systemd.js";
import { fakeMachine } from "./fake-machine.js";

const GiB = 1024 ** 3;
const file = "/etc/systemd/system/berth.slice";
const fine = { loadState: "loaded", file, fileIsThere: true, isStale: false };
const bounded = { ...fine, memoryMaxBytes: 20 * GiB };
const none = { ...fine, file: "", fileIsThere: false, memoryMaxBytes: undefined };

describe("berth.slice", () => {
  it.each<[string, string, Parameters<typeof decideCeiling>[0], RegExp]>([
    ["ok", "bounds the memory", bounded, /to 20 GiB of memory \(\/etc\/systemd/],
    [
      "ok",
      "bounds the memory by drop-ins alone",
      { ...none, memoryMaxBytes: GiB },
      /1 GiB of memory \(drop-ins\)/,
    ],
    ["warning", "is not installed", none, /is not installed/],
    ["warning", "has lost its file", { ...bounded, fileIsThere: false }, /not there any more/],
    ["warning", "is masked", { ...bounded, loadState: "masked" }, /does not use .*: masked/],
    ["warning", "is broken", { ...bounded, loadState: "bad-setting" }, /: bad-setting/],
    ["warning", "bounds nothing", { ...fine, memoryMaxBytes: undefined }, /bounds no memory/],
    ["warning", "is another by now", { ...bounded, isStale: true }, /are others than those/],
  ])("%s when it %s", (status, _when, facts, what) => {
    const finding = decideCeiling(facts);
    expect(finding).toMatchObject({ check: "berth.slice", status });
    expect(finding.what).toMatch(what);
    if (status !== "ok") expect(finding).toMatchObject({ fix: expect.any(String) as string });
  });

  it("is not told of where systemd is silent, which is told already", async () => {
    expect(await lookAtCeiling(fakeMachine(), "unix:path=/nowhere/bus")).toEqual([]);
  });
});
