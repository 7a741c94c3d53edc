import { describe, expect, it } from "vitest";
import { hostOf, waysToConnect } from "../../../src/http/page/model/connect.js";
import { freshSteps, withStep } from "../../../src/http/page/model/steps.js";
import { steps } from "../../../src/lib/contract/sandbox.js";

describe("the steps of a creation", () => {
  it("are those of the API, in its order, each with words of its own", () => {
    expect(freshSteps().map(({ step }) => step)).toEqual([...steps]);
    for (const { step, label } of freshSteps()) expect(label).not.toBe(step);
  });

  it("stay as they are when a replay tells them again", () => {
    const done = withStep(freshSteps(), { step: "slice", status: "done", ms: 12 });
    expect(withStep(done, { step: "slice", status: "started" })).toEqual(done);
    expect(withStep(done, { step: "slice", status: "done", ms: 12 })).toEqual(done);
  });

  it("take up a step that the page does not know", () => {
    const rows = withStep(freshSteps(), { step: "gateway", status: "started" });
    expect(rows.at(-1)).toEqual({ step: "gateway", label: "gateway", status: "started" });
  });
});

describe("the ways to connect", () => {
  it("name bundle and folder after the sandbox, and the context as the CLI does", () => {
    const [context] = waysToConnect({ user: "alice", name: "web" });
    expect(context?.lines).toEqual([
      "unzip -o berth-alice-web.zip -d berth-alice-web",
      "docker context rm --force alice-web",
      "docker context import alice-web berth-alice-web/berth.dockercontext",
      "docker --context alice-web version",
    ]);
  });

  it.each([
    ["tcp://10.0.0.2:2376", "10.0.0.2"],
    ["tcp://lab.example.org:21000", "lab.example.org"],
    ["tcp://[fd00::2]:2376", "[fd00::2]"],
    ["", ""],
  ])("find the host in %s", (dockerHost, host) => {
    expect(hostOf(dockerHost)).toBe(host);
  });
});
