import { describe, expect, it } from "vitest";
import { firewall, type FirewallInput } from "../../../src/isolation/firewall.js";

const input: FirewallInput = {
  address: "10.210.128.5",
  subnet: "10.210.128.0/17",
  gateway: "10.210.128.1",
  ports: { from: 21_000, to: 21_009 },
  dns: ["10.0.0.53", "2001:db8::53"],
  allowPrivate: ["10.20.0.0/16"],
  egress: { mode: "open", to: [] },
};

/** The rules of one chain, in order. */
function rulesOf(chain: string, given: Partial<FirewallInput> = {}): string[] {
  const text = firewall({ ...input, ...given });
  const body = new RegExp(`chain ${chain} \\{\\n([^}]*(?:\\{[^}]*\\}[^}]*)*?)\\n? {2}\\}`).exec(
    text,
  );
  return (body?.[1] ?? "")
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
}

describe("a sandbox's firewall", () => {
  it("drops what nobody said may pass", () => {
    expect(firewall(input)).toMatch(/hook input .* policy drop/);
    expect(firewall(input)).toMatch(/hook forward .* policy drop/);
  });

  it("lets neither spoofed sources, nor other sandboxes, nor IPv6 come as far as the connection table", () => {
    expect(rulesOf("raw")).toEqual([
      "type filter hook prerouting priority raw; policy accept;",
      "meta nfproto ipv6 drop",
      'iifname "user0" ip saddr != 192.0.0.2 drop',
      'iifname "eth0" ip daddr != 10.210.128.5 drop',
      'iifname "eth0" ip saddr 10.210.128.0/17 ip saddr != 10.210.128.1 drop',
    ]);
  });

  it("allows resolvers, then refuses neighbours, then allows the operator's networks, then refuses private ones", () => {
    const rules = rulesOf("from_user").slice(1);
    expect(rules[0]).toBe("ip daddr 10.0.0.53 meta l4proto { tcp, udp } th dport 53 accept");
    expect(rules[1]).toMatch(/^ip daddr 10\.210\.128\.0\/17 reject/);
    expect(rules[2]).toBe("ip daddr 10.20.0.0/16 accept");
    expect(rules[3]).toMatch(/10\.0\.0\.0\/8.*169\.254\.0\.0\/16.*192\.168\.0\.0\/16.*\} reject/);
    expect(rules[4]).toBe("accept");
    expect(rules).toHaveLength(5);
  });

  it("egress none refuses everything, resolvers too", () => {
    const rules = rulesOf("from_user", { egress: { mode: "none", to: [] } }).slice(1);
    expect(rules).toEqual(["reject with icmpx admin-prohibited"]);
  });

  it("egress list allows what it names and nothing else, whatever private networks are allowed", () => {
    const egress = { mode: "list" as const, to: ["203.0.113.0/24", "198.51.100.7"] };
    const rules = rulesOf("from_user", { egress }).slice(1);
    expect(rules.slice(2)).toEqual([
      "ip daddr 203.0.113.0/24 accept",
      "ip daddr 198.51.100.7 accept",
      "reject with icmpx admin-prohibited",
    ]);
  });

  it("sends only the engine's port and the published ones to the user", () => {
    expect(rulesOf("prerouting").slice(1)).toEqual([
      'iifname "eth0" tcp dport 2376 dnat to 192.0.0.2',
      'iifname "eth0" meta l4proto { tcp, udp } th dport 21000-21009 dnat to 192.0.0.2',
    ]);
  });
});
