import { describe, expect, it } from "vitest";
import { parseTable } from "../../../src/door/kernel-state.js";
import { planOpen, planSync } from "../../../src/door/plan.js";
import type { Route } from "../../../src/lib/model.js";
import { changeElements, elementsOf, ruleCounts, version } from "../../../src/door/ruleset.js";

const ann = {
  id: "annannan",
  address: "10.210.0.2",
  engineHostPort: 20001,
  from: 21000,
  to: 21009,
};
const bob = {
  id: "bobbobbo",
  address: "10.210.0.6",
  engineHostPort: 20002,
  from: 21010,
  to: 21019,
};

const wanting = (...routes: Route[]) => ({ routes: () => routes, isBusy: () => false });
const kernel = (routes = [ann], rulesComplete = true) => ({
  rulesComplete,
  elements: routes.flatMap(elementsOf),
});

describe("elements of a route", () => {
  it("are three: engine port, block of user ports, address, each marked with the sandbox", () => {
    expect(changeElements("berth", [], elementsOf(ann))).toBe(
      `add element ip berth engine_ports { 20001 comment "annannan" : 10.210.0.2 . 2376 }
add element ip berth user_ports { 21000-21009 comment "annannan" : 10.210.0.2 }
add element ip berth addresses { 10.210.0.2 comment "annannan" }
`,
    );
  });

  it("write a block of one port as that port", () => {
    expect(elementsOf({ ...ann, to: 21000 })[1]?.key).toBe("21000");
  });
});

describe("parseTable", () => {
  // As nft 1.0.6 and 1.1.3 write it, shortened to what is read.
  const listed = (extra: unknown[] = [], dropped?: string) => {
    const rules = [...ruleCounts].flatMap(([chain, count]) =>
      chain === dropped
        ? []
        : Array.from({ length: count }, () => ({ rule: { chain, comment: version, expr: [] } })),
    );
    const elem = [
      [{ elem: { val: 20001, comment: "annannan" } }, { concat: ["10.210.0.2", 2376] }],
    ];
    const range = [
      [{ elem: { val: { range: [21000, 21009] }, comment: "annannan" } }, "10.210.0.2"],
      [21015, "10.210.0.7"],
    ];
    const set = [{ elem: { val: "10.210.0.2", comment: "annannan" } }];
    return JSON.stringify({
      nftables: [
        { metainfo: { version: "1.0.6", json_schema_version: 1 } },
        { table: { family: "ip", name: "berth", handle: 1 } },
        { map: { name: "engine_ports", type: "inet_service", elem } },
        { map: { name: "user_ports", flags: ["interval"], elem: range } },
        { set: { name: "addresses", elem: set } },
        { chain: { name: "to_sandbox" } },
        ...rules,
        ...extra,
      ],
    });
  };

  it("reads elements with and without comment, ranges and single ports", () => {
    const { elements } = parseTable(listed());
    expect(elements).toEqual([
      ...elementsOf(ann).slice(0, 2),
      { container: "user_ports", key: "21015", value: "10.210.0.7", id: "" },
      ...elementsOf(ann).slice(2),
    ]);
  });

  it("reads empty maps", () => {
    const text = JSON.stringify({ nftables: [{ map: { name: "user_ports" } }] });
    expect(parseTable(text).elements).toEqual([]);
  });

  it("finds the rules complete when each is there once, of this version", () => {
    expect(parseTable(listed()).rulesComplete).toBe(true);
  });

  it.each([
    ["a chain was flushed", listed([], "forward")],
    ["a rule of somebody is among ours", listed([{ rule: { chain: "forward" } }])],
    ["the rules are another version's", listed().replaceAll(version, "0123456789ab")],
    ["a map of somebody is among ours", listed([{ map: { name: "x", elem: [] } }])],
  ])("finds the rules incomplete when %s", (_, text) => {
    expect(parseTable(text).rulesComplete).toBe(false);
  });
});

describe("planSync", () => {
  it("does nothing when the kernel holds the routes, and nothing only", () => {
    expect(planSync("berth", kernel([bob, ann]), wanting(ann, bob))).toMatchObject({
      script: "",
      changes: [],
    });
  });

  it("makes no table for no route", () => {
    expect(planSync("berth", undefined, wanting())).toMatchObject({ script: "", changes: [] });
  });

  it("adds what is missing and drops what is not wanted, a line a sandbox", () => {
    const { script, changes } = planSync("berth", kernel([ann]), wanting(bob));
    expect(script).toBe(changeElements("berth", elementsOf(ann), elementsOf(bob)));
    expect(changes).toEqual([
      "annannan: stop forwarding ports 20001, 21000-21009",
      "bobbobbo: forward ports 20002, 21010-21019 into the sandbox",
    ]);
  });

  it("takes an element out before it puts the same port in for another sandbox", () => {
    const moved = { ...bob, engineHostPort: ann.engineHostPort };
    const { script } = planSync("berth", kernel([ann]), wanting(moved));
    expect(script.indexOf("delete element")).toBeLessThan(script.indexOf("add element"));
  });

  it.each([
    ["is gone", undefined, "make the nftables table ip berth"],
    ["lacks rules", kernel([ann], false), "replace the rules of the nftables table ip berth"],
  ])("makes table and elements in one go when the table %s", (_, state, line) => {
    const { script, changes } = planSync("berth", state, wanting(ann));
    expect(script).toMatch(/^add table ip berth\ndelete table ip berth\nadd table ip berth\n/);
    expect(script.endsWith(changeElements("berth", [], elementsOf(ann)))).toBe(true);
    expect(changes[0]).toBe(line);
  });
});

describe("planOpen", () => {
  it("replaces the sandbox's old elements and those in its way, and no others", () => {
    const carl = { ...ann, id: "carlcarl", address: "10.210.0.10", engineHostPort: 20009 };
    const state = kernel([
      { ...ann, from: 22000, to: 22009 },
      bob,
      { ...carl, from: 21005, to: 21014 },
    ]);
    const script = planOpen("berth", state, ann);
    expect(script.match(/delete element .*/g)).toEqual([
      "delete element ip berth user_ports { 22000-22009 }",
      "delete element ip berth user_ports { 21005-21014 }",
    ]);
    expect(script.match(/add element .*/g)).toEqual([
      'add element ip berth user_ports { 21000-21009 comment "annannan" : 10.210.0.2 }',
    ]);
  });
});
