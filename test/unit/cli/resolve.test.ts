import { describe, expect, it } from "vitest";
import type { Sandbox } from "../../../src/lib/contract/sandbox.js";
import { sandboxReference } from "../../../src/cli/arguments.js";
import { pickSandbox } from "../../../src/cli/resolve.js";

const one = (id: string, user: string, name = "default") => ({ id, user, name }) as Sandbox;

const all = [
  one("aaaaaaa1", "alice"),
  one("aaaaaaa2", "alice", "ci"),
  one("bbbbbbb1", "bob", "only"),
  one("ccccccc1", "carol", "a"),
  one("ccccccc2", "carol", "b"),
  one("ddddddd1", "aaaaaaa2"),
];

describe("SANDBOX", () => {
  it.each([
    ["bbbbbbb1", "bbbbbbb1", "an id"],
    ["alice/ci", "aaaaaaa2", "user/name"],
    ["bob", "bbbbbbb1", "a user's only one, whatever its name"],
    ["alice", "aaaaaaa1", "the one named default of several"],
    ["aaaaaaa2", "aaaaaaa2", "an id before a user of the same name"],
    ["aaaaaaa2/default", "ddddddd1", "that user's, when the name is said"],
  ])("%s means %s: %s", (text, id) => {
    expect(pickSandbox(all, sandboxReference(text)).id).toBe(id);
  });

  it("of a user with several and none named default is refused with their names", () => {
    expect(() => pickSandbox(all, sandboxReference("carol"))).toThrow(
      "carol has 2 sandboxes and none is named default; say which: carol/a (ccccccc1), carol/b (ccccccc2)",
    );
  });

  it("that is not there names what the user does have", () => {
    expect(() => pickSandbox(all, sandboxReference("bob/default"))).toThrow(
      "no sandbox bob/default; there is bob/only (bbbbbbb1)",
    );
  });
});
