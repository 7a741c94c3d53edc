import { describe, expect, it } from "vitest";
import { SandboxIsolation } from "../../../src/isolation/isolation.js";
import { wallRules } from "../../../src/isolation/wall.js";

const options = { table: "berth_x_wall", bridge: "berth_x", dns: ["10.0.0.53", "2001:db8::53"] };

describe("the wall before the host", () => {
  it("refuses every new connection to an address of the host, but to its resolver", () => {
    const rules = wallRules(options)
      .split("\n")
      .filter((line) => line.includes("iifname"))
      .map((line) => line.trim());
    const from = 'iifname "berth_x" ct direction original fib daddr type local';
    expect(rules).toEqual([
      `${from} ip daddr 10.0.0.53 meta l4proto { tcp, udp } th dport 53 accept`,
      `${from} reject with icmp admin-prohibited`,
    ]);
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
