import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ok, onHost, patienceSeconds, run } from "../e2e/support.js";
import { names, Probe, type Target } from "./probe.js";
import { berthWithProfiles, Cleanup, hold, holdBySecond, serve, type Held } from "./sandboxes.js";
import { Witness, World } from "./world.js";

// The doors of a sandbox: published ports, egress as its profile says, resolvers.

const cleanup = new Cleanup();
let world: World;
let ann: Held;
let bob: Held;
let open: Held;
let listed: Held;
let closed: Held;
let publicHost: string;
const host = Probe.onHost();
/** For what is not to answer. */
const hostInVain = Probe.onHost("", 0.6);

/** What the profile `listed` may reach, the resolvers apart. */
const onList: Target[] = [
  [World.otherAddress, 80],
  [World.otherAddress, 2222],
  ["10.77.0.5", 2222],
];
const offList: Target[] = [
  [World.address, 80],
  [World.address, 2222],
  ["192.168.77.5", 2222],
  ["10.77.0.1", 2222],
];

beforeAll(async () => {
  world = await World.build(cleanup);
  // The host's own resolver, and something beside it that is not for sandboxes.
  const listeners = ["dns@198.51.100.1@53", "tcp@198.51.100.1@2222", "udp@127.0.0.1@2222"];
  const witness = await Witness.start("berth-witness-host", listeners);
  cleanup.add(() => witness.stop());
  const second = berthWithProfiles({
    dns: [World.address, World.hostAddress],
    profiles: {
      open: {},
      listed: { egress: "list", egressTo: [World.otherAddress, "10.77.0.5/32"] },
      closed: { egress: "none" },
    },
  });
  cleanup.add(() => second.remove());
  await second.start();
  [ann, bob, open, listed, closed] = await Promise.all([
    hold("e2e-net-ann", cleanup),
    hold("e2e-net-bob", cleanup),
    holdBySecond(second, "net-open", "open", cleanup),
    holdBySecond(second, "net-listed", "listed", cleanup),
    holdBySecond(second, "net-closed", "closed", cleanup),
  ]);
  publicHost = new URL(ann.sandbox.dockerHost).hostname;
});

afterAll(() => cleanup.run());

const page = (port: number) => run("curl", ["-s", "-m", "2", `http://${publicHost}:${port}/`]);

/** Listens in a sandbox's own network namespace at a port that is published to nobody. */
const listen = ({ client }: Held, port: number) =>
  client.docker(
    ...["run", "-d", "--name", `on-${port}`, "--stop-signal", "KILL", "--privileged", "--net=host"],
    ...["box", "sh", "-c", `while :; do echo stolen | nc -l -p ${port}; done`],
  );

describe("a port", () => {
  it("of somebody else's block is not to be had, and its owner does not notice", async () => {
    const port = bob.sandbox.ports.from;
    await serve(ann.client, port, "ann");
    await listen(ann, port + 1);
    expect((await page(port)).stdout).toBe("");
    expect(await hostInVain.opens([[publicHost, port + 1]])).toEqual([]);

    await serve(bob.client, port, "bob");
    expect(ok(await page(port))).toBe("bob");
    await ann.client.docker("rm", "-f", "web", `on-${port + 1}`);
    expect(ok(await page(port))).toBe("bob");
  });

  it("outside its own block is reached from nowhere outside", async () => {
    const { to } = ann.sandbox.ports;
    const ports = [22, 2377, 8080, to + 1000];
    for (const port of ports) await listen(ann, port);
    expect(await ann.probe.opens(ports.map((port) => ["127.0.0.1", port]))).toHaveLength(4);
    const targets = ports.map((port): Target => [ann.outer.address, port]);
    expect(await hostInVain.opens(targets)).toEqual([]);
    const beyond = await run("curl", ["-s", "-m", "2", `http://${publicHost}:${to + 1000}/`]);
    expect(beyond.code).not.toBe(0);
    await ann.client.docker("rm", "-f", ...ports.map((port) => `on-${port}`));
  });

  it("of its own block answers, whatever the egress is", async () => {
    for (const sandbox of [open, listed, closed]) {
      await serve(sandbox.client, sandbox.sandbox.ports.from, "here");
      expect(ok(await page(sandbox.sandbox.ports.from))).toBe("here");
      const url = `http://${publicHost}:${sandbox.sandbox.ports.from}/`;
      const fromWorld = `curl -s -m 5 --interface 192.168.77.5 ${url}`;
      expect(ok(await world.sh(fromWorld))).toBe("here");
    }
  });
});

describe("egress", () => {
  it("open leads to the Internet, not to private networks", async () => {
    const targets: Target[] = [...onList, ...offList];
    const reached = targets.filter(([address]) => address.startsWith("198.51."));
    expect(await open.probe.opens(targets)).toEqual(names(reached));
  });

  it("list leads to what is listed, a private address included, and nowhere else", async () => {
    expect(await listed.probe.opens([...onList, ...offList])).toEqual(names(onList));
    expect(await listed.probe.pings([World.address, World.otherAddress])).toEqual([
      World.otherAddress,
    ]);
    await listed.probe.udp("off-list", [[World.address, 2222]]);
    expect(await world.witness.heard()).not.toContain("off-list");
  });

  it("none leads nowhere, by TCP, UDP or ICMP, nor to the resolvers", async () => {
    const resolvers: Target[] = [
      [World.address, 53],
      [World.hostAddress, 53],
    ];
    expect(await closed.probe.opens([...onList, ...offList, ...resolvers])).toEqual([]);
    expect(await closed.probe.pings([World.address, World.otherAddress])).toEqual([]);
    await closed.probe.udp("closed", [
      [World.address, 2222],
      [World.otherAddress, 2222],
    ]);
    expect(await world.witness.heard()).not.toContain("closed");
    const asked = await closed.client.run([
      "run",
      "--rm",
      "box",
      "timeout",
      String(patienceSeconds(1_000)),
      "nslookup",
      "world.test",
    ]);
    expect(asked.stdout).not.toContain("198.51.100.5");
  });

  it("leads to no other sandbox, whatever is listed", async () => {
    expect(await host.opens([[open.outer.address, 2376]])).toHaveLength(1);
    for (const { probe } of [listed, closed, ann]) {
      expect(await probe.opens([[open.outer.address, 2376]])).toEqual([]);
    }
  });
});

describe("names", () => {
  const answer = /^Address(?: 1)?: 198\.51\.100\.5$/m;

  it.each(["open", "listed"] as const)("resolve in inner containers of egress %s", async (kind) => {
    const { client } = { open, listed }[kind];
    expect(await client.docker("run", "--rm", "box", "nslookup", "world.test")).toMatch(answer);
  });

  it("resolve by a resolver that is the host itself, of which nothing else is reached", async () => {
    const ask = ["run", "--rm", "box", "nslookup", "world.test", World.hostAddress];
    expect(await open.client.docker(...ask)).toMatch(answer);
    const beside: Target = [World.hostAddress, 2222];
    expect(await host.opens([beside])).toHaveLength(1);
    expect(await open.probe.opens([beside])).toEqual([]);
  });

  it("resolve in a network of a compose project, and lead to where they say", async () => {
    const dir = await mkdtemp(join(tmpdir(), "berth-e2e-"));
    const file = join(dir, "compose.yaml");
    await writeFile(
      file,
      "name: names\nservices: { asker: { image: box, command: wget -qO- http://world.test/ } }\n",
    );
    ok(await open.client.run(["compose", "-f", file, "up", "-d"]));
    expect(await open.client.docker("wait", "names-asker-1")).toBe("0");
    expect(await open.client.docker("logs", "names-asker-1")).toBe("witness");
    ok(await open.client.run(["compose", "-f", file, "down", "-t", "0"]));
    await rm(dir, { recursive: true });
  });

  it("are asked of nobody but the resolvers that were given", async () => {
    const hidden = await onHost(`nsenter --net=/run/netns/berth-world ss -Hln sport = :53`);
    expect(hidden.stdout).toContain(":53");
    expect(await ann.probe.opens([[World.hostAddress, 53]])).toEqual([]);
    const lookup = [
      "timeout",
      String(patienceSeconds(1_000)),
      "nslookup",
      "world.test",
      World.hostAddress,
    ];
    const ask = ["run", "--rm", "box", ...lookup];
    expect((await ann.client.run(ask)).stdout).not.toMatch(answer);
  });
});
