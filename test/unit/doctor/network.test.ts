import { describe, expect, it } from "vitest";
import { decideForwarding, decidePool, type ForwardingFacts } from "../../../src/doctor/network.js";

describe("network pool", () => {
  const pool = "10.210.0.0/16";
  const route = (network: string, device: string) => ({ network, device });
  it.each([
    ["ok", "a host that reaches others", [route("192.168.1.0/24", "eth0")], false],
    ["ok", "Berth's own bridge", [route("10.210.128.0/17", "berth_0123abcd")], false],
    ["failure", "another Berth's bridge", [route("10.210.128.0/17", "berth_ffffffff")], false],
    ["failure", "a network in it", [route("10.210.200.0/24", "wg0")], false],
    ["failure", "a network around it", [route("10.0.0.0/8", "eth1")], false],
    ["ok", "one in the lower half, which nobody needs", [route("10.210.3.0/24", "wg0")], false],
    ["warning", "one in the lower half", [route("10.210.3.0/24", "wg0")], true],
    ["ok", "a sandbox's own network", [route("10.210.0.0/30", "berth-a1b2c3d4")], true],
  ])("%s with %s", (status, _what, routes, privileged) => {
    expect(decidePool({ pool, privileged, routes, bridge: "berth_0123abcd" })).toMatchObject({
      check: "network pool",
      status,
    });
  });

  it("fails on a bridge of that network while Berth has none of its own", () => {
    const routes = [route("10.210.128.0/17", "berth_0123abcd")];
    const finding = decidePool({ pool, privileged: false, routes, bridge: undefined });
    expect(finding.status).toBe("failure");
    expect(finding.what).toContain("10.210.128.0/17 on berth_0123abcd");
  });
});

describe("forwarding", () => {
  const docker: ForwardingFacts = {
    isOn: true,
    policy: "DROP",
    hasDockerUser: true,
    filtersByNftables: false,
  };
  it.each<[string, string, Partial<ForwardingFacts>]>([
    ["ok", "as Docker sets it up", {}],
    ["failure", "off", { isOn: false }],
    ["failure", "dropped, with no chain of Docker's", { hasDockerUser: false }],
    ["ok", "without a firewall", { policy: "ACCEPT", hasDockerUser: false }],
    ["ok", "without iptables", { policy: undefined, hasDockerUser: false }],
    [
      "warning",
      "filtered by Docker with nftables",
      { policy: "ACCEPT", hasDockerUser: false, filtersByNftables: true },
    ],
  ])("%s when it is %s", (status, _what, given) => {
    expect(decideForwarding({ ...docker, ...given })).toMatchObject({
      check: "forwarding",
      status,
    });
  });

  it("tells Docker of the very mark that the door sets", () => {
    const facts = { ...docker, policy: "ACCEPT", hasDockerUser: false, filtersByNftables: true };
    expect(decideForwarding(facts).fix).toContain(
      '"bridge-accept-fwmark": "0xbe000000/0xff000000"',
    );
  });
});
