import { describe, expect, it } from "vitest";
import {
  decideForwarding,
  decidePool,
  parseDaemonSettings,
  type ForwardingFacts,
} from "../../../src/doctor/network.js";

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
    daemon: {},
  };
  const byNftables = { policy: "ACCEPT", hasDockerUser: false, filtersByNftables: true };
  const marked = { "bridge-accept-fwmark": "0xbe000000/0xff000000" };
  const restart = "systemctl restart docker # makes the chain anew";
  const setMark = '"bridge-accept-fwmark": "0xbe000000/0xff000000" in /etc/docker/daemon.json';
  const accept = "iptables -P FORWARD ACCEPT";

  it.each<[string, string, Partial<ForwardingFacts>, string[]?]>([
    ["ok", "as Docker sets it up", {}],
    ["failure", "off", { isOn: false }, ["net.ipv4.ip_forward = 1"]],
    ["failure", "off, with nftables", { ...byNftables, isOn: false }, ["net.ipv4.ip_forward = 1"]],
    ["failure", "dropped, with no chain of Docker's", { hasDockerUser: false }, [restart]],
    [
      "failure",
      "dropped, with no chain as Docker may make none",
      { hasDockerUser: false, daemon: { iptables: false } },
      ['remove "iptables": false'],
    ],
    ["ok", "without a firewall", { policy: "ACCEPT", hasDockerUser: false }],
    ["ok", "without iptables", { policy: undefined, hasDockerUser: false }],
    ["warning", "filtered by Docker with nftables", byNftables, [setMark]],
    [
      "warning",
      "filtered so, with a chain from before",
      { ...byNftables, hasDockerUser: true },
      [setMark],
    ],
    ["ok", "filtered so, where the mark passes", { ...byNftables, daemon: marked }],
    [
      "ok",
      "filtered so, where the mark passes in other words",
      { ...byNftables, daemon: { "bridge-accept-fwmark": "3187671040/0xFF000000" } },
    ],
    [
      "warning",
      "filtered so, where another mark passes",
      { ...byNftables, daemon: { "bridge-accept-fwmark": "1" } },
      [setMark],
    ],
    [
      "failure",
      "filtered so, with a policy from before",
      { ...byNftables, policy: "DROP", daemon: marked },
      [accept],
    ],
    [
      "failure",
      "filtered so, with chain and policy from before",
      { ...byNftables, policy: "DROP", hasDockerUser: true, daemon: marked },
      [accept],
    ],
    [
      "failure",
      "filtered so, with a policy from before and no mark",
      { ...byNftables, policy: "DROP" },
      [accept, setMark],
    ],
  ])("%s when it is %s", (status, _what, given, fixes = []) => {
    const found = decideForwarding({ ...docker, ...given });
    expect(found[0]).toMatchObject({ check: "forwarding", status });
    expect(found.flatMap(({ fix }) => fix ?? [])).toEqual(
      fixes.map((fix) => expect.stringContaining(fix) as string),
    );
  });

  it.each<[string | undefined, object]>([
    [undefined, {}],
    ["{ broken", {}],
    ["[]", {}],
    ['{"iptables": false, "log-driver": "journald"}', { iptables: false }],
    ['{"bridge-accept-fwmark": "1/1", "iptables": "no"}', { "bridge-accept-fwmark": "1/1" }],
  ])("reads of the engine's settings %j", (text, settings) => {
    expect(parseDaemonSettings(text)).toEqual(settings);
  });
});
