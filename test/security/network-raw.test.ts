import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ok, onHost } from "../e2e/support.js";
import {
  arp,
  etherTypes,
  ethernet,
  everybody,
  experimental,
  strayReset,
  strayUnreachable,
  udpPacket,
} from "./frames.js";
import { Departures, type Outer } from "./outer.js";
import { Probe } from "./probe.js";
import { berthWithProfiles, Cleanup, hold, holdBySecond, serve, type Held } from "./sandboxes.js";
import { World } from "./world.js";

// What a sandbox sends past its own network stack, and what it makes of its own network settings. The host
// counts what comes out of the sandbox's link: from anybody but the sandbox it must be nothing.

const cleanup = new Cleanup();
let world: World;
let ann: Held;
let bob: Held;
let trusted: Held;
let leaving: Departures;
let leavingTrusted: Departures;

const nothing = { foreign: 0, neighbourly: 0 };
const own = "192.0.0.2";
const text = "from-nowhere";
/** Of no interface here. */
const strangeMac = "02:00:00:be:27:48";

beforeAll(async () => {
  world = await World.build(cleanup);
  const profiles = { trusted: { isolation: "privileged" } };
  const second = berthWithProfiles({ allowPrivileged: true, profiles });
  cleanup.add(() => second.remove());
  await second.start();
  [ann, bob, trusted] = await Promise.all([
    hold("e2e-net-ann", cleanup),
    hold("e2e-net-bob", cleanup),
    holdBySecond(second, "net-eve", "trusted", cleanup),
  ]);
  await serve(bob.client, bob.sandbox.ports.from, "bob");
  leaving = await Departures.of(ann.outer, bob.outer);
  cleanup.add(() => leaving.remove());
  leavingTrusted = await Departures.of(trusted.outer, bob.outer);
  cleanup.add(() => leavingTrusted.remove());
});

afterAll(() => cleanup.run());

/** Frames that are not the sandbox's own, sent from its side of the link. */
function foreignFrames(to: Outer): Buffer[] {
  const macs = [to.gatewayMac, bob.outer.mac, everybody];
  return macs.map((mac) => ethernet(mac, strangeMac, experimental, Buffer.from(text)));
}

const viaGate = (packet: Buffer) =>
  ethernet(ann.outer.gateMac, strangeMac, etherTypes.ipv4, packet);

/** Everything by which it could get there: the gate, and the Ethernet addresses beyond it. */
const byEveryWay = (type: number, payload: Buffer) =>
  [ann.outer.gateMac, ann.outer.gatewayMac, bob.outer.mac, everybody].map((mac) =>
    ethernet(mac, strangeMac, type, payload),
  );

const sentByAnn = (frames: Buffer[]) => leaving.during(() => ann.probe.frames("eth0", frames));

describe("the count of what leaves", () => {
  it("sees such frames when they are sent from where the firewall is", async () => {
    const inContainer = Probe.onHost(`nsenter --net=/proc/${ann.outer.pid}/ns/net`);
    const frames = foreignFrames(ann.outer);
    const toBob = udpPacket(ann.outer.address, bob.outer.address, 9, text);
    frames.push(ethernet(bob.outer.mac, ann.outer.mac, etherTypes.ipv4, toBob));
    expect(await leaving.during(() => inContainer.frames("eth0", frames))).toEqual({
      foreign: 3,
      neighbourly: 1,
    });
  });

  it("sees them from a sandbox of isolation privileged, spoofed packets and ARP included", async () => {
    const { gatewayMac, mac, gateway } = trusted.outer;
    const ip = bob.outer.address;
    const spoofed = udpPacket(ip, World.address, 2222, "from-trusted");
    const claim = arp("reply", { mac, ip }, { mac: gatewayMac, ip: gateway });
    const frames = [
      ...foreignFrames(trusted.outer),
      ethernet(gatewayMac, mac, etherTypes.ipv4, spoofed),
      ethernet(everybody, mac, etherTypes.arp, claim),
    ];
    const left = await leavingTrusted.during(() => trusted.probe.frames("eth0", frames));
    expect(left.foreign).toBe(frames.length);
    expect(await world.witness.heard()).toEqual(["from-trusted"]);
  });
});

describe("nothing leaves that is not the sandbox's own", () => {
  it("frames of no protocol, to the neighbour, the gateway or everybody", async () => {
    expect(await sentByAnn(foreignFrames(ann.outer))).toEqual(nothing);
  });

  it("tagged frames", async () => {
    const packet = udpPacket(own, bob.outer.address, 9, text);
    const tags = [0, 1, 4094].map((tag) =>
      Buffer.concat([Buffer.from([tag >> 8, tag & 255, 8, 0]), packet]),
    );
    const frames = tags.flatMap((payload) => byEveryWay(etherTypes.vlan, payload));
    expect(await sentByAnn(frames)).toEqual(nothing);
  });

  it("IPv6, to link-local addresses or all nodes", async () => {
    const header = Buffer.from("6000000000083aff", "hex");
    const from = Buffer.from("fe800000000000000000000000000002", "hex");
    const echo = Buffer.from("8000000000010001", "hex");
    const to = [linkLocal(bob.outer.mac), Buffer.from(`ff02${"0".repeat(27)}1`, "hex")];
    const frames = to.flatMap((address) =>
      byEveryWay(etherTypes.ipv6, Buffer.concat([header, from, address, echo])),
    );
    expect(await sentByAnn(frames)).toEqual(nothing);
  });

  it("packets to a neighbour that were routed by hand", async () => {
    const packets = [own, ann.outer.address, bob.outer.gateway].map((from) =>
      udpPacket(from, bob.outer.address, bob.sandbox.ports.from, text),
    );
    const frames = packets.flatMap((packet) => byEveryWay(etherTypes.ipv4, packet));
    expect(await sentByAnn(frames)).toEqual(nothing);
  });

  it("packets with somebody else's source address", async () => {
    const sources = [
      ...[bob.outer.address, ann.outer.gateway, ann.outer.address, "192.0.0.1", "127.0.0.1"],
      ...["0.0.0.0", "255.255.255.255", World.hostAddress, World.otherAddress, World.metadata],
    ];
    const frames = sources.map((from) => viaGate(udpPacket(from, World.address, 2222, text)));
    expect(await sentByAnn(frames)).toEqual(nothing);
    // The same with its own address arrives: the packets are in order.
    await ann.probe.frames("eth0", [viaGate(udpPacket(own, World.address, 2222, "honest"))]);
    const heard = await world.witness.heard();
    expect(heard).toContain("honest");
    expect(heard).not.toContain(text);
  });

  it("packets from an address that it gave itself", async () => {
    const take = (address: string) =>
      `ip address add ${address}/32 dev eth0; ping -c 1 -W 1 -I ${address} ${World.address}; ` +
      `ip address del ${address}/32 dev eth0`;
    const left = await leaving.during(async () => {
      for (const address of [bob.outer.address, World.otherAddress]) {
        await ann.client.run(["exec", "--privileged", "probe", "sh", "-c", take(address)]);
      }
    });
    expect(left).toEqual(nothing);
  });

  it("resets and errors about connections that there are not", async () => {
    const frames = [World.address, World.hostAddress, bob.outer.address, ann.outer.gateway].flatMap(
      (to) => [viaGate(strayReset(own, to, 2222)), viaGate(strayUnreachable(own, to))],
    );
    expect(await sentByAnn(frames)).toEqual(nothing);
  });
});

describe("ARP", () => {
  it("finds neither the neighbour nor the host's bridge", async () => {
    const ask = (address: string) =>
      ann.client.run(["exec", "probe", "arping", "-c", "1", "-w", "1", "-I", "eth0", address]);
    const said = await Promise.all([bob.outer.address, ann.outer.gateway].map(ask));
    expect(said.map(({ stdout }) => /Received (\d+) /.exec(stdout)?.[1])).toEqual(["0", "0"]);
  });

  it("cannot be poisoned, the neighbour's or the host's", async () => {
    // Each asks the other once, so that there is something to be poisoned.
    expect(await Probe.onHost().opens([[bob.outer.address, 2376]])).toHaveLength(1);
    expect(await bob.probe.opens([[World.address, 80]])).toHaveLength(1);
    const claims = [bob.outer.address, bob.outer.gateway, ann.outer.address].flatMap((ip) => {
      const from = { mac: strangeMac, ip };
      return [
        arp("reply", from, { mac: bob.outer.mac, ip: bob.outer.address }),
        arp("request", from, { mac: everybody, ip }),
      ];
    });
    const left = await sentByAnn(claims.flatMap((claim) => byEveryWay(etherTypes.arp, claim)));
    expect(left).toEqual(nothing);
    const ofHost = ok(await onHost(`ip neigh show dev ${bob.outer.bridge}`));
    const ofBob = ok(await onHost(`nsenter -t ${bob.outer.pid} -n ip neigh show dev eth0`));
    expect(ofHost).toContain(`${bob.outer.address} lladdr ${bob.outer.mac}`);
    expect(ofBob).toContain(`${bob.outer.gateway} lladdr ${bob.outer.gatewayMac}`);
    expect(ofHost + ofBob).not.toContain(strangeMac);
  });
});

describe("a sandbox's own network settings", () => {
  it("show nothing of its firewall, and change nothing of it", async () => {
    const ruleset = `nsenter -t ${ann.outer.pid} -n nft -s list ruleset`;
    const before = ok(await onHost(ruleset));
    expect(before).toContain("table inet berth");
    expect(ok(await ann.probe.sh("nft list ruleset"))).not.toContain("berth");
    await ann.probe.sh(
      `nft flush ruleset; nft add table inet berth; nft delete table inet berth
       for t in filter nat mangle raw; do iptables -t $t -F; iptables-legacy -t $t -F; done
       for c in INPUT FORWARD OUTPUT; do iptables -P $c ACCEPT; iptables-legacy -P $c ACCEPT; done
       ip link set user0 down; ip link delete user0; ip rule add from all lookup 1`,
    );
    expect(ok(await onHost(ruleset))).toBe(before);
    expect(await ann.probe.opens([[bob.outer.address, 2376]])).toEqual([]);
  });

  it("hurt nobody else: no route, a tiny or a giant MTU, another address, a link that is down", async () => {
    const changes = [
      "ip route del default",
      "ip link set eth0 mtu 68; ip link set eth0 mtu 65535",
      `ip address add ${bob.outer.address}/17 dev eth0; ip link set eth0 address ${bob.outer.mac}`,
      "ip link set eth0 down",
    ];
    // It puts its link in order again by itself: meanwhile nobody reaches it.
    const mended =
      "ip link set eth0 down; ip address flush dev eth0; ip link set eth0 mtu 1400 up; " +
      `ip address add ${own}/30 dev eth0; ip route add default via 192.0.0.1`;
    const line = `(${changes.join("; sleep 0.3; ")}; sleep 0.3; ${mended}) >/dev/null 2>&1 &`;
    await ann.client.docker("exec", "-d", "--privileged", "probe", "sh", "-c", `${line} wait`);
    expect(await bob.client.docker("run", "--rm", "box", "echo", "well")).toBe("well");
    expect(await bob.probe.opens([[World.address, 80]])).toHaveLength(1);
    expect(await ann.client.docker("run", "--rm", "box", "echo", "again")).toBe("again");
  });
});

/** RFC 4291, appendix A. */
function linkLocal(mac: string): Buffer {
  const bytes = Buffer.from(mac.replaceAll(":", ""), "hex");
  const id = Buffer.concat([bytes.subarray(0, 3), Buffer.from("fffe", "hex"), bytes.subarray(3)]);
  id.writeUInt8(id.readUInt8(0) ^ 2, 0);
  return Buffer.concat([Buffer.from("fe80000000000000", "hex"), id]);
}
