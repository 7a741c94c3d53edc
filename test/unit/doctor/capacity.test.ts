import { describe, expect, it } from "vitest";
import { parseConfig } from "../../../src/config.js";
import { configuredSandboxes, decideCapacity, readCapacity } from "../../../src/doctor/capacity.js";
import { fakeMachine } from "./fake-machine.js";

const config = (given: object = {}) => parseConfig(given, "test config");

describe("configuredSandboxes", () => {
  it.each([
    [{}, { most: 1000, bound: "ports.engine" }],
    [{ ports: { engine: "20000-20029" } }, { most: 30, bound: "ports.engine" }],
    [{ ports: { perSandbox: 100 } }, { most: 100, bound: "ports.user" }],
    [{ network: { pool: "10.9.0.0/25" } }, { most: 61, bound: "network.pool" }],
    [
      { subordinateUids: { from: 1_000_000, to: 1_000_000 + 5 * 65_536 } },
      { most: 5, bound: "subordinateUids" },
    ],
    [
      { ports: { engine: "10000-19999", user: "20000-39999", perSandbox: 2 } },
      { most: 1023, bound: "the bridge's ports" },
    ],
  ])("of %j is %j", (given, expected) => {
    expect(configuredSandboxes(config(given))).toEqual(expected);
  });
});

describe("readCapacity", () => {
  const memory = (gigabytes: number) =>
    fakeMachine({ "/proc/meminfo": `MemTotal:    ${gigabytes * 1024 ** 2} kB\nMemFree: 1 kB\n` });
  it.each([
    ["what the memory holds", memory(24), undefined, 108],
    ["what the configuration has room for", memory(1024), undefined, 1000],
    ["one at least", memory(0.125), undefined, 1],
    ["what was asked for", memory(24), 40, 40],
    ["the configuration's where nobody tells the memory", fakeMachine(), undefined, 1000],
  ])("is %s", async (_what, machine, asked, sandboxes) => {
    expect((await readCapacity(machine, config(), asked)).sandboxes).toBe(sandboxes);
  });
});

describe("capacity", () => {
  const facts = { configured: 30, bound: "ports.engine", inMemory: 108 };
  it("says against what number limits are held", () => {
    expect(decideCapacity({ ...facts, sandboxes: 30 })).toMatchObject([
      { status: "ok", what: expect.stringMatching(/against 30$/) as string },
    ]);
  });

  it.each([
    ["configuration", 31, facts, [/^widen ports\.engine in the configuration$/]],
    ["memory", 109, { ...facts, configured: 1000 }, [/^more memory, or fewer sandboxes/]],
    ["both", 109, facts, [/^widen/, /^more memory/]],
    ["memory, where it holds not one", 1, { ...facts, inMemory: 0 }, [/^more memory/]],
  ])("warns of more than there is room for: %s", (_by, sandboxes, given, fixes) => {
    const found = decideCapacity({ ...given, sandboxes });
    expect(found).toMatchObject(fixes.map(() => ({ check: "capacity", status: "warning" })));
    found.forEach(({ fix }, i) => {
      expect(fix).toMatch(fixes[i] ?? /never/);
    });
  });
});
