import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Sandbox } from "../../src/lib/contract/sandbox.js";
import { SecondBerth } from "./second-berth.js";
import {
  armed,
  berth,
  berthJson,
  create,
  ok,
  onHost,
  patienceSeconds,
  rootApi,
  show,
  traces,
} from "./support.js";

// A host that lets Berth down, each fault made for a second daemon, so that the first one, with a sandbox
// of its own, can be seen not to notice.

const user = "e2e-fault";
let clean: string[];
let before: string[];
let first: Sandbox;
let running: string;
let second: SecondBerth;

const containerOf = async ({ id }: Sandbox) =>
  ok(await onHost(`docker inspect -f '{{.Id}} {{.State.StartedAt}}' berth-${id}`));

beforeAll(async () => {
  clean = await traces();
  first = await create("e2e-first");
  running = await containerOf(first);
  before = await traces();
});

afterAll(async () => {
  ok(await berth("user", "remove", "e2e-first"));
  expect(await traces()).toEqual(clean);
});

beforeEach(() => {
  second = new SecondBerth();
});

afterEach(async () => {
  try {
    expect(await second.traces()).toEqual([]);
    expect(await traces()).toEqual(before);
    expect(await containerOf(first)).toBe(running);
    expect(await show(first.id)).toEqual(first);
  } finally {
    await second.remove();
  }
});

describe("the Docker Engine", () => {
  it("may be away: the daemon starts and answers, and says ENGINE_UNREACHABLE", async () => {
    second = await new SecondBerth({ engine: { socket: "/run/berth-e2e-nothing.sock" } }).start();
    const problem = await second.refusal({ user });
    expect(problem).toMatchObject({ code: "ENGINE_UNREACHABLE", status: 503 });
    expect(problem.detail).toContain("systemctl status docker");
    expect(await second.list()).toEqual([]);
    const reaped = await second.berth("reap");
    expect(reaped.code).toBe(1);
    expect(reaped.stderr).toContain("(ENGINE_UNREACHABLE)");
  });

  it("may go away in the middle of a creation: what is left is kept on record until it is back", async () => {
    second = new SecondBerth();
    const socket = `${second.runDir}-engine.sock`;
    const proxy = `${second.unit}-engine`;
    const open = `systemd-run --quiet --collect --unit=${proxy} --socket-property=ListenStream=${socket} \
      --socket-property=RemoveOnStop=yes /usr/lib/systemd/systemd-socket-proxyd /run/docker.sock`;
    const cut = `systemctl stop ${proxy}.socket ${proxy}.service`;
    second.config["engine"] = { socket };
    try {
      ok(await onHost(open));
      await second.start();
      const trap = await armed(cut);
      const api = await rootApi(second.socket);
      const { id } = await api.create({ user });
      const problems: string[] = [];
      let fired: Promise<unknown> | undefined;
      for await (const event of api.events(id)) {
        if (event.event === "step" && event.step === "start") fired ??= trap.fire();
        if (event.event === "state" && event.problem) problems.push(event.problem.code);
        if (event.event === "state" && event.state === "ready") break;
      }
      await fired;
      await api.close();
      expect(problems).toEqual(["ENGINE_UNREACHABLE"]);
      expect(await second.list()).toMatchObject([{ id, state: "removing" }]);
      ok(await onHost(open));
      ok(await second.berth("reap"));
      expect(await second.list()).toEqual([]);
      expect(await second.traces()).toEqual([]);
    } finally {
      await onHost(cut);
    }
  });

  it("may lack the image: IMAGE_MISSING names the command that makes it", async () => {
    // Another recipe is another image: as after an update whose image was never built.
    const recipe = `/run/${second.unit}.recipe`;
    ok(await onHost(`echo '#!/bin/sh' >${recipe}`));
    const entrypoint = "/opt/berth/images/dind/entrypoint";
    second.properties = ["-p", `BindReadOnlyPaths=${recipe}:${entrypoint}`];
    try {
      await second.start();
      const problem = await second.refusal({ user });
      expect(problem).toMatchObject({ code: "IMAGE_MISSING", status: 503 });
      expect(problem.detail).toContain("berth image build");
      expect(await second.list()).toEqual([]);
    } finally {
      ok(await onHost(`rm ${recipe}`));
    }
  });
});

describe("systemd's bus", () => {
  it("may be away: SYSTEMD_UNREACHABLE, and what is left is cleared away once it is back", async () => {
    second.properties = ["-E", "DBUS_SYSTEM_BUS_ADDRESS=unix:path=/run/berth-e2e-nothing"];
    await second.start();
    const problem = await second.refusal({ user });
    expect(problem).toMatchObject({ code: "SYSTEMD_UNREACHABLE", status: 503 });
    expect(problem.detail).toContain("systemctl status dbus.socket");
    expect((await second.berth("reap")).stderr).toContain("(SYSTEMD_UNREACHABLE)");
    await second.stop();
    second.properties = [];
    await second.start();
    ok(await second.berth("reap"));
    expect(await second.list()).toEqual([]);
  });
});

describe("ports", () => {
  it("that a stranger listens on are passed over, and a range that is used up is named", async () => {
    const stranger = `${second.unit}-stranger`;
    second.config["ports"] = { engine: "41000-41001", user: "42000-42029" };
    const listen = "--socket-property=ListenStream=41000 --socket-property=ListenDatagram=42003";
    ok(await onHost(`systemd-run --quiet --collect --unit=${stranger} ${listen} /bin/true`));
    try {
      await second.start();
      const made = await second.create(user);
      expect(new URL(made.dockerHost).port).toBe("41001");
      expect(made.ports).toEqual({ from: 42010, to: 42019 });
      const problem = await second.refusal({ user, name: "another" });
      expect(problem).toMatchObject({ code: "PORTS_EXHAUSTED", status: 503 });
      expect(problem.detail).toContain("41000-41001");
      ok(await onHost(`systemctl stop ${stranger}.socket`));
      const another = await second.create(user, "--name", "another");
      expect(new URL(another.dockerHost).port).toBe("41000");
      ok(await second.berth("remove", made.id, another.id));
    } finally {
      await onHost(`systemctl stop ${stranger}.socket`);
    }
  });
});

describe("a full disk", () => {
  const mount = (options: string) =>
    onHost(`mkdir -p ${second.dataDir}; mount -t tmpfs -o ${options} berth-e2e ${second.dataDir}`);
  /** Takes what is left to the last byte. */
  const fill = () => onHost(`dd if=/dev/zero of=${second.dataDir}/filling bs=4k status=none`);

  it("fails a creation with DISK_FULL and leaves nothing; with space it works again", async () => {
    ok(await mount("size=1m"));
    await second.start();
    const problem = await second.refusal({ user });
    expect(problem).toMatchObject({ code: "DISK_FULL", status: 507 });
    expect(problem.detail).toContain(second.dataDir);
    expect(await second.list()).toEqual([]);
    expect(await second.traces()).toEqual([]);
    ok(await mount("remount,size=64m"));
    const made = await second.create(user, "--disk", "128M");
    expect(made.state).toBe("ready");
    ok(await second.berth("remove", user));
  });

  it("down to the last byte refuses a creation, and lets sandboxes be removed", async () => {
    ok(await mount("size=64m"));
    await second.start();
    const made = await second.create(user, "--disk", "128M");
    expect((await fill()).stderr).toContain("No space left on device");
    // Once for a user who is known, once for one who would have to be written down first.
    for (const name of [user, "e2e-newcomer"]) {
      const problem = await second.refusal({ user: name, name: "another" });
      expect(problem).toMatchObject({ code: "DISK_FULL", status: 507 });
    }
    expect(await second.list()).toEqual([made]);
    ok(await second.berth("remove", user));
    expect(await second.list()).toEqual([]);
  });
});

describe("a sandbox's engine", () => {
  // With a tenth of a processor a dockerd needs several seconds, so that neither comes too late.

  it("that does not answer in time fails the creation", async () => {
    second = await new SecondBerth({ engine: { startTimeout: "1s" } }).start();
    const problem = await second.refusal({ user, cpus: 0.1 });
    expect(problem).toMatchObject({ code: "ENGINE_START_FAILED", status: 500 });
    expect(problem.detail).toContain("no answer within 1 s");
    expect(await second.list()).toEqual([]);
  });

  it("that dies while it starts fails the creation at once, with its last log lines", async () => {
    second = await new SecondBerth().start();
    const killDockerd = `for p in /proc/[0-9]*; do
      read -r name <$p/comm && [ "$name" = dockerd ] && kill -KILL \${p#/proc/} && exit
      done 2>/dev/null; exit 1`;
    const trap = await armed(`
      until docker exec "$(docker ps -q --filter label=berth.user=${user})" sh -c '${killDockerd}'
      do :; done`);
    const api = await rootApi(second.socket);
    const { id } = await api.create({ user, cpus: "0.1" });
    let fired: Promise<unknown> | undefined;
    let problem: { code: string; detail: string } | undefined;
    for await (const event of api.events(id)) {
      if (event.event === "step" && event.step === "ready") fired ??= trap.fire();
      if (event.event !== "state") continue;
      problem = event.problem;
      if (event.state === "ready") break;
    }
    await fired;
    await api.close();
    expect(problem?.code).toBe("ENGINE_START_FAILED");
    expect(problem?.detail).toMatch(
      /its container stopped; its last lines:\n[^]*dockerd ended with status 137/,
    );
    expect(await second.list()).toEqual([]);
  });
});

describe("a daemon that cannot start ends with a clear message and exit code 1", () => {
  it.each<[string, Record<string, unknown>, RegExp]>([
    [
      "its port is taken",
      { listen: { port: 8420 } },
      /cannot listen at 127\.0\.0\.1:8420: .*change listen .*\(PORT_TAKEN\)$/,
    ],
    [
      "another daemon has its data directory",
      { dataDir: "/var/lib/berth" },
      /another Berth works on \/var\/lib\/berth already.*\(ALREADY_RUNNING\)$/,
    ],
    [
      "another daemon answers at its socket",
      { runDir: "/run/berth" },
      /answers at \/run\/berth\/berth\.sock already.*\(ALREADY_RUNNING\)$/,
    ],
    [
      "its configuration has an unknown key, and names the nearest",
      { sandboxPerUser: 5 },
      /sandboxPerUser.*sandboxesPerUser[^]*\(CONFIG_INVALID\)/,
    ],
    [
      "it would carry tokens over plain HTTP to everywhere",
      { listen: { host: "0.0.0.0", port: 8431 } },
      /0\.0\.0\.0 would carry tokens without TLS.*listen\.plainHttp.*\(CONFIG_INVALID\)$/,
    ],
  ])("when %s", async (_when, config, message) => {
    second = new SecondBerth(config);
    const said = await second.serveInVain();
    expect(said.stderr).toMatch(message);
    expect(said.code).toBe(1);
    expect(ok(await onHost(`ls ${second.runDir} 2>/dev/null; true`))).toBe("");
  });
});

describe("two Berths on one host", () => {
  it("leave each other's sandboxes, slices, disks and forwarding alone", async () => {
    await second.start();
    const theirs = await second.create("e2e-other");
    const all = [await traces(), await second.traces()];
    const started = await containerOf(theirs);
    const engineAnswers = async (address: string) =>
      (await onHost(`curl -sk -m ${patienceSeconds(2_000)} https://${address.slice(6)}/_ping`))
        .code;

    expect(JSON.parse(ok(await second.berth("reap", "--json")))).toMatchObject({ actions: [] });
    expect(await berthJson("reap")).toMatchObject({ actions: [] });
    expect([await traces(), await second.traces()]).toEqual(all);
    // 56: it answers, and wants a certificate.
    expect(await engineAnswers(first.dockerHost)).toBe(56);
    expect(await engineAnswers(theirs.dockerHost)).toBe(56);

    // Nor does the first take a second that is down for a crash of its own.
    await second.stop();
    expect(await berthJson("reap")).toMatchObject({ actions: [] });
    expect(await containerOf(theirs)).toBe(started);
    await second.start();
    expect(await second.list()).toEqual([theirs]);
    ok(await second.berth("remove", theirs.id));
  });
});
