import { describe, expect, it } from "vitest";
import { decideRoot, lookAtUids } from "../../../src/doctor/uids.js";
import { fakeMachine } from "./fake-machine.js";

const range = { from: 0x40000000, to: 0x7fffffff };

describe("uids", () => {
  it.each([
    ["ok", "nobody's", {}],
    ["ok", "others elsewhere", { "/etc/subuid": "ann:100000:65536\nbob:165536:65536\n" }],
    ["failure", "somebody's", { "/etc/subuid": "ann:100000:65536\nbob:1073741824:65536\n" }],
    ["failure", "somebody's gids", { "/etc/subgid": "bob:2147483647:1\n" }],
    ["failure", "somebody's who has them all", { "/etc/subuid": "bob:0:4294967295\n" }],
    ["ok", "in a comment", { "/etc/subuid": "#bob:1073741824:65536\n" }],
  ])("%s when they are %s", async (status, _whose, files: Record<string, string>) => {
    expect(await lookAtUids(fakeMachine(files), range)).toMatchObject({ check: "uids", status });
  });

  it("takes them from whoever has them", async () => {
    const machine = fakeMachine({ "/etc/subgid": "bob:1073741824:65536" });
    const { what, fix } = await lookAtUids(machine, range);
    expect(what).toContain("/etc/subgid gives bob ids of the sandboxes' range");
    expect(fix).toContain("usermod --del-subgids 1073741824-1073807359 bob");
  });
});

describe("root", () => {
  it.each([
    ["ok", 0],
    ["failure", 1000],
    ["failure", undefined],
  ])("%s for uid %s", (status, uid) => {
    expect(decideRoot(uid)).toMatchObject({ check: "root", status });
  });
});
