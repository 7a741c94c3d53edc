import { describe, expect, it } from "vitest";
import { firewall } from "../../../src/isolation/firewall.js";
import { checkFirewall } from "../../../src/isolation/firewall-check.js";

const wanted = firewall({
  address: "10.210.128.5",
  subnet: "10.210.128.0/17",
  gateway: "10.210.128.1",
  ports: { from: 21_000, to: 21_009 },
  dns: ["10.0.0.53"],
  allowPrivate: [],
  egress: { mode: "open", to: [] },
});

interface Chain {
  family: string;
  name: string;
  hook?: string;
  policy?: string;
  rules: number;
}

/** What nft would list of it; as it lists the chains that have a hook, with a policy. */
const listed = (): Chain[] => [
  { family: "inet", name: "raw", hook: "prerouting", policy: "accept", rules: 4 },
  { family: "inet", name: "input", hook: "input", policy: "drop", rules: 2 },
  { family: "inet", name: "forward", hook: "forward", policy: "drop", rules: 5 },
  { family: "inet", name: "from_user", rules: 5 },
  { family: "ip", name: "prerouting", hook: "prerouting", policy: "accept", rules: 2 },
  { family: "ip", name: "postrouting", hook: "postrouting", policy: "accept", rules: 1 },
];

const json = (chains: Chain[]) =>
  JSON.stringify({
    nftables: [
      { metainfo: { version: "1.1.3" } },
      ...chains.flatMap(({ rules, ...chain }) => [
        { chain: { table: "berth", ...chain } },
        ...Array.from({ length: rules }, () => ({
          rule: { family: chain.family, table: "berth", chain: chain.name, expr: [] },
        })),
      ]),
      // The engine's own, for its resolver.
      { chain: { table: "nat", family: "ip", name: "DOCKER_OUTPUT" } },
    ],
  });

const look = (chains: Chain[]) => checkFirewall(4711, wanted, () => Promise.resolve(json(chains)));

describe("the look at a sandbox's firewall", () => {
  it("reads it in the container's network namespace, with the host's own tools", async () => {
    const ran: string[] = [];
    const check = await checkFirewall(4711, wanted, (file, args) => {
      ran.push([file, ...args].join(" "));
      return Promise.resolve(json(listed()));
    });
    expect(check).toMatchObject({ name: "firewall", ok: true });
    expect(ran).toEqual(["nsenter --net=/proc/4711/ns/net nft -j list ruleset"]);
  });

  it.each<[string, (chains: Chain[]) => Chain[], string]>([
    ["nothing at all", () => [], "chain berth raw is missing"],
    [
      "a chain less",
      (chains) => chains.filter(({ name }) => name !== "from_user"),
      "from_user is missing",
    ],
    [
      "a rule less",
      (chains) => chains.map((chain) => ({ ...chain, rules: chain.rules - 1 })),
      "has 3 rules instead of 4",
    ],
    [
      "another policy",
      (chains) =>
        chains.map((chain) => (chain.name === "forward" ? { ...chain, policy: "accept" } : chain)),
      "policy accept instead of drop",
    ],
    [
      "a chain more",
      (chains) => [...chains, { family: "inet", name: "strange", rules: 0 }],
      "of somebody else",
    ],
  ])("sees %s", async (_, change, told) => {
    const check = await look(change(listed()));
    expect(check.ok).toBe(false);
    expect(check.detail).toContain(told);
  });

  it("fails when it cannot be read", async () => {
    const check = await checkFirewall(4711, wanted, () => Promise.reject(new Error("no nft")));
    expect(check).toEqual({ name: "firewall", ok: false, detail: "it cannot be read: no nft" });
  });
});
