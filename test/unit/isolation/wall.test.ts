import { describe, expect, it } from "vitest";
import { SandboxIsolation } from "../../../src/isolation/isolation.js";
import { wallRules } from "../../../src/isolation/wall.js";

const options = { table: "berth_x_wall", bridge: "berth_x", dns: ["10.0.0.53", "2001:db8::53"] };

describe("the wall before the host", () => {
  it("refuses all but answers for whatever the host takes for its own, but for its resolver", () => {
    const chains = [...wallRules(options).matchAll(/chain (\w+) \{\n(.*?)\n {2}\}/gs)];
    const rulesOf = (name: string) =>
      chains
        .find(([, chain]) => chain === name)?.[2]
        ?.split("\n")
        .map((line) => line.trim());
    expect(chains.map(([, name]) => name)).toEqual(["prerouting", "from_sandbox"]);
    expect(rulesOf("from_sandbox")).toEqual([
      "ct direction reply accept",
      "ip daddr 10.0.0.53 meta l4proto { tcp, udp } th dport 53 accept",
      "reject with icmp admin-prohibited",
    ]);
  });

  it("looks at what comes from the sandboxes' bridge alone, before any translation", () => {
    expect(wallRules(options)).toContain(
      `type filter hook prerouting priority mangle; policy accept;
    iifname "berth_x" fib daddr type { local, broadcast, anycast, multicast } jump from_sandbox`,
    );
  });

  it("replaces what is there in one transaction", async () => {
    const inputs: string[] = [];
    const exec = (_: string, __: readonly string[], given: { input?: string } = {}) => {
      inputs.push(given.input ?? "");
      return Promise.resolve("");
    };
    await new SandboxIsolation({ wall: options, exec }).raiseWall();
    expect(inputs).toHaveLength(1);
    expect(inputs[0]).toMatch(/^add table .*\ndelete table .*\ntable ip berth_x_wall \{/);
  });

  it("says what nft said when it cannot", async () => {
    const exec = () => Promise.reject(new Error("Operation not permitted"));
    await expect(new SandboxIsolation({ wall: options, exec }).raiseWall()).rejects.toMatchObject({
      code: "FORWARDING_FAILED",
      message: expect.stringContaining("Operation not permitted") as string,
    });
  });
});
