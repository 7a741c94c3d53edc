import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SecondBerth } from "../e2e/second-berth.js";
import { apiUrl, ok, onHost, run } from "../e2e/support.js";
import { names, Probe, type Target } from "./probe.js";
import { berthWithProfiles, Cleanup, hold, holdBySecond, serve, type Held } from "./sandboxes.js";
import { Witness, World } from "./world.js";

// What a sandbox can reach. Every target is first seen to answer, from the host or from outside; then an
// inner container with `--privileged --net=host` must not reach it. Where the host itself is the target,
// a sandbox of isolation `privileged` does reach it: the attempts are fit to succeed.

/** Where sshd listens, and two others. */
const hostPorts = [22, 2222, 31_022];
const publishedByEngine = 31_080;

let world: World;
let witness: Witness;
let second: SecondBerth;
let ann: Held;
let bob: Held;
let trusted: Held;
const host = Probe.onHost();
let hostAddresses: string[];
let publicHost: string;

const cleanup = new Cleanup();

beforeAll(async () => {
  world = await World.build(cleanup);

  const listeners = hostPorts.flatMap((port) => [`tcp@::@${port}`, `udp@::@${port}`]);
  witness = await Witness.start("berth-witness-host", listeners);
  cleanup.add(() => witness.stop());
  const profiles = { trusted: { isolation: "privileged" } };
  second = berthWithProfiles({ allowPrivileged: true, profiles });
  cleanup.add(() => second.remove());
  await second.start();

  [ann, bob, trusted] = await Promise.all([
    hold("e2e-net-ann", cleanup),
    hold("e2e-net-bob", cleanup),
    holdBySecond(second, "net-eve", "trusted", cleanup),
    publishByEngine(),
  ]);

  // Their own docker0 would hide the host's, which has the same address.
  const noDocker0 = ({ probe }: Held) => probe.sh("ip address flush dev docker0");
  await Promise.all([ann, trusted].map(noDocker0));
  await serve(bob.client, bob.sandbox.ports.from, "bob");
  publicHost = new URL(ann.sandbox.dockerHost).hostname;
  const addresses = ok(await onHost("ip -o -4 address | awk '{print $4}' | cut -d/ -f1"));
  hostAddresses = addresses.split("\n").filter((address) => !address.startsWith("127."));
});

afterAll(() => cleanup.run());

/** Another program of the host's: its engine publishes a port for it. */
async function publishByEngine(): Promise<void> {
  cleanup.add(() => onHost("docker rm -f berth-test-published"));
  const server = `IO::Socket::INET->new(Listen => 9, LocalPort => 80, ReuseAddr => 1)`;
  ok(
    await onHost(`
      image=$(docker image ls -q --filter label=berth.image=dind | head -n 1)
      docker run -d --name berth-test-published -p ${publishedByEngine}:80 --entrypoint perl $image \
        -MIO::Socket::INET -e '$s = ${server}; while (1) { $s->accept }'`),
  );
}

const engineOf = ({ sandbox }: Held): Target => {
  const { hostname, port } = new URL(sandbox.dockerHost);
  return [hostname, Number(port)];
};

/** Seen to answer on the host, and from a sandbox they must not. */
async function mustNotReach(targets: readonly Target[]): Promise<void> {
  expect(await host.opens(targets)).toEqual(names(targets));
  expect(await ann.probe.opens(targets)).toEqual([]);
}

describe("a sandbox does not reach another one", () => {
  it("at its engine's port on the bridge", async () => {
    await mustNotReach([[bob.outer.address, 2376]]);
  });

  it("at its published port on the bridge", async () => {
    await mustNotReach([[bob.outer.address, bob.sandbox.ports.from]]);
  });

  it("by ICMP", async () => {
    // Its firewall answers nobody.
    expect(await ann.probe.pings([bob.outer.address])).toEqual([]);
  });

  it("at its engine's port on any address of the host", async () => {
    const [, port] = engineOf(bob);
    await mustNotReach(hostAddresses.map((address) => [address, port]));
  });

  it("at its published port on any address of the host", async () => {
    await mustNotReach(hostAddresses.map((address) => [address, bob.sandbox.ports.from]));
  });

  it("at its published port by UDP, on the bridge or the host", async () => {
    const port = bob.sandbox.ports.from + 1;
    const netns = `/proc/${bob.outer.dockerd}/ns/net`;
    const inBob = await Witness.start("berth-witness-bob", [`udp@0.0.0.0@${port}`], netns);
    await ann.probe.udp(
      "from-ann",
      [...hostAddresses, bob.outer.address].map((to): Target => [to, port]),
    );
    await host.udp("from-host", [[publicHost, port]]);
    expect(await inBob.heard()).toEqual(["from-host"]);
    await inBob.stop();
  });
});

describe("a sandbox does not reach the host", () => {
  it("by TCP, at any of its addresses", async () => {
    await mustNotReach(
      hostAddresses.flatMap((address) => hostPorts.map((port): Target => [address, port])),
    );
  });

  it("by UDP, at any of its addresses", async () => {
    const targets = hostAddresses.map((address): Target => [address, 2222]);
    expect(await heardOf(host, "udp-host", targets)).toHaveLength(targets.length);
    expect(await heardOf(ann.probe, "udp-ann", targets)).toEqual([]);
  });

  it("by broadcast or multicast", async () => {
    const addresses = ok(
      await onHost("ip -o -4 address | grep -o 'brd [0-9.]*' | cut -d' ' -f2 | sort -u"),
    );
    const everywhere = [...addresses.split("\n"), "255.255.255.255", "224.0.0.1"];
    const targets = everywhere.map((address): Target => [address, 2222]);
    expect(await heardOf(trusted.probe, "broadcast-trusted", targets)).not.toEqual([]);
    expect(await heardOf(ann.probe, "broadcast-ann", targets)).toEqual([]);
  });

  it("by ICMP", async () => {
    expect(await host.pings(hostAddresses)).toEqual(hostAddresses);
    expect(await ann.probe.pings(hostAddresses)).toEqual([]);
  });

  it("at Berth's API", async () => {
    const port = Number(new URL(await apiUrl()).port);
    expect(await host.opens([[publicHost, port]])).toEqual([`${publicHost}:${port}`]);
    const targets = [...hostAddresses, "127.0.0.1"].map((address): Target => [address, port]);
    expect(await ann.probe.opens(targets)).toEqual([]);
  });

  it("at a port that its engine publishes for somebody else", async () => {
    const published = ok(
      await onHost("docker inspect -f '{{.NetworkSettings.IPAddress}}' berth-test-published"),
    );
    await mustNotReach([
      ...hostAddresses.map((address): Target => [address, publishedByEngine]),
      [published, 80],
    ]);
  });

  it("in the network namespace before it, where its firewall is", async () => {
    const inside = await Witness.start(
      "berth-witness-gate",
      ["tcp@::@2222"],
      `/proc/${ann.outer.pid}/ns/net`,
    );
    const gate = [ann.outer.address, "192.0.0.1"];
    const targets = gate.map((address): Target => [address, 2222]);
    expect(await ann.probe.opens(targets)).toEqual([]);
    expect(await ann.probe.pings(gate)).toEqual([]);
    await inside.stop();
  });

  it.each(World.ipv6Networks)("nor anything by IPv6, at %s", async (network) => {
    const targets: Target[] = [
      [`${network}1`, 2222],
      [`${network}5`, 2222],
    ];
    await ann.probe.sh(
      "ip -6 address add fd00::2/64 dev eth0 nodad; ip -6 route add default dev eth0",
    );
    await mustNotReach(targets);
  });
});

describe("a sandbox does not reach", () => {
  it("the metadata address of clouds", async () => {
    await mustNotReach([
      [World.metadata, 2222],
      [World.metadata, 22],
    ]);
  });

  it.each(World.privateNetworks)("the private network %s.0", async (network) => {
    await mustNotReach([
      [`${network}.1`, 2222],
      [`${network}.5`, 2222],
    ]);
  });
});

describe("what it may do", () => {
  it("reaches the Internet", async () => {
    const targets: Target[] = [
      [World.address, 2222],
      [World.otherAddress, 80],
    ];
    expect(await ann.probe.opens(targets)).toEqual(names(targets));
    expect(await ann.probe.pings([World.address])).toEqual([World.address]);
    expect(await heard("internet", () => ann.probe.udp("internet", [[World.address, 2222]]))).toBe(
      1,
    );
  });

  it("has its published ports answer from outside, a client with a private address included", async () => {
    const url = `http://${publicHost}:${bob.sandbox.ports.from}/`;
    expect(ok(await run("curl", ["-s", "-m", "5", url]))).toBe("bob");
    for (const network of World.privateNetworks) {
      expect(ok(await world.sh(`curl -s -m 5 --interface ${network}.5 ${url}`))).toBe("bob");
    }
    expect(ok(await world.sh(`curl -s -m 5 --interface ${World.address} ${url}`))).toBe("bob");
  });
});

describe("the same attempts from isolation privileged", () => {
  it("reach the host, a metadata service and private networks", async () => {
    const targets: Target[] = [
      [trusted.outer.gateway, 22],
      [publicHost, 2222],
      [publicHost, 8420],
      [World.metadata, 2222],
      ...World.privateNetworks.map((network): Target => [`${network}.5`, 2222]),
    ];
    expect(await trusted.probe.opens(targets)).toEqual(names(targets));
    expect(await trusted.probe.pings(hostAddresses)).toEqual(hostAddresses);
    const udp = hostAddresses.map((address): Target => [address, 2222]);
    expect(await heardOf(trusted.probe, "udp-trusted", udp)).toHaveLength(udp.length);
  });
});

/** What the host heard of this. */
async function heardOf(probe: Probe, text: string, targets: readonly Target[]): Promise<string[]> {
  await probe.udp(text, targets);
  return (await witness.heard()).filter((line) => line === text);
}

async function heard(text: string, act: () => Promise<void>): Promise<number> {
  await act();
  return (await world.witness.heard()).filter((line) => line === text).length;
}
