import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Sandbox } from "../../src/lib/contract/sandbox.js";
import { sandboxList } from "../../src/lib/contract/sandbox.js";
import {
  berth,
  berthJson,
  create,
  daemonAnswers,
  DockerClient,
  armed,
  hostCommand,
  hostScript,
  isEmbedded,
  isOurs,
  ok,
  onHost,
  patience,
  rootApi,
  run,
  show,
  traces,
} from "./support.js";

// The machine goes down and comes up again: what outlives it, and what the embedded host leaves behind
// on the machine that carries it.

const keeper = "e2e-keeper";
const leaver = "e2e-leaver";
const unlucky = "e2e-unlucky";

const embedded = isEmbedded();

describe.skipIf(!isOurs())("a reboot of the host (a real machine is not rebooted)", () => {
  let clean: string[];
  let kept: Sandbox;
  let gone: Sandbox;
  let halfMade: string;
  let client: DockerClient;
  let web: string;
  let pid: number;
  let pidNamespace: string;

  const here = (line: string) => run("bash", ["-c", line]);
  const memoryLimit = async () =>
    ok(
      await onHost(`cd /sys/fs/cgroup
        cat berth.slice/'${kept.slice}'/memory.max 2>/dev/null ||
        cat memory/berth.slice/'${kept.slice}'/memory.limit_in_bytes`),
    );

  beforeAll(async () => {
    clean = await traces();
    kept = await create(keeper, "--ttl", "2h", "--memory", "640M");
    client = await DockerClient.of(keeper, kept.dockerHost);
    await client.importBox();
    await client.docker("run", "--rm", "-v", "notes:/n", "box", "sh", "-c", "echo kept > /n/a");
    const port = kept.ports.from + 1;
    await client.docker(
      ...["run", "-d", "--restart", "always", "-v", "notes:/n", "-p", `${port}:80`, "box"],
      ...["httpd", "-f", "-p", "80", "-h", "/n"],
    );
    web = `http://${new URL(kept.dockerHost.replace("tcp:", "http:")).hostname}:${port}/a`;
    if (embedded) {
      const state = readFileSync("/run/berth-host/state.json", "utf8");
      ({ pid } = JSON.parse(state) as { pid: number });
      pidNamespace = ok(await here(`readlink /proc/${pid}/ns/pid`));
    }
    // Runs out while the host is down.
    gone = await create(leaver, "--ttl", `${patience(6)}s`);
    halfMade = await createAndDie();
  });

  /** The daemon dies while a sandbox's engine starts, and for good: the id. */
  async function createAndDie(): Promise<string> {
    const lines = "systemctl kill --signal=KILL berth; systemctl stop berth berth-reap.timer";
    const trap = await armed(lines);
    const api = await rootApi();
    const creating = berth("create", unlucky);
    try {
      let found: Sandbox | undefined;
      while (!found) [found] = await api.list(unlucky);
      for await (const event of api.events(found.id)) {
        if (event.event === "step" && event.step === "start" && event.status === "started") break;
      }
      ok(await trap.fire());
      expect((await creating).code).toBe(1);
      return found.id;
    } finally {
      await api.close();
    }
  }

  afterAll(async () => {
    ok(await run(...hostCommand("up")));
    await daemonAnswers();
    for (const user of [keeper, leaver, unlucky]) await berth("user", "remove", user);
    await client.remove();
    expect(await traces()).toEqual(clean);
  });

  it("leaves nothing of the host on the machine around it while it is down", async (test) => {
    ok(await run(...hostCommand("down")));
    const { code, stdout } = await run(...hostCommand("status"));
    expect([code, stdout]).toEqual([3, "down"]);
    if (!embedded) return test.skip("only the embedded host lives inside this machine");
    const left = await here(`
      for p in /proc/[0-9]*; do
        [ "$(readlink $p/ns/pid 2>/dev/null)" != '${pidNamespace}' ] || echo "process $p"
      done
      grep -o 'berth-host.*' /proc/self/mountinfo | sed 's/^/mount /'
      ls -d /run/netns/berth-host /run/berth-host 2>/dev/null | sed 's/^/file /'
      ip -o link | grep -o 'berth-[a-z0-9]*' | grep -vx berth-vm | sed 's/^/interface /'
      iptables-save 2>/dev/null | grep berth-host | sed 's/^/rule /'
      losetup --list --noheadings --output NAME,BACK-FILE |
        grep -e ${kept.id} -e ${gone.id} -e berth-host | sed 's/^/loop /'
      find /sys/fs/cgroup -maxdepth 2 -name berth-host | sed 's/^/cgroup /'
      true`);
    expect(ok(left)).toBe("");

    expect(ok({ ...(await run(hostScript, ["status", "--json"])), code: 0 })).toBe('{"up": false}');
    const exec = await run(hostScript, ["exec", "true"]);
    expect(exec.code).toBe(125);
    expect(exec.stderr).toContain("scripts/host up");
    const list = await berth("list");
    expect(list.code).toBe(1);
    expect(list.stderr).toContain("scripts/host up");
    // Down again is no error.
    ok(await run(hostScript, ["down"]));
  });

  it("brings back the sandbox whose time is not over, and only that", async () => {
    const isOver = () => Date.now() > Date.parse(gone.expiresAt);
    await expect.poll(isOver, { timeout: patience(10_000) }).toBe(true);
    // Two at once: one boots it, the other waits and finds it up.
    const ups = await Promise.all([run(...hostCommand("up")), run(...hostCommand("up"))]);
    for (const said of ups) ok(said);
    await daemonAnswers();
    const ready = async () => (await show(kept.id)).state;
    await expect.poll(ready, { timeout: patience(30_000), interval: 100 }).toBe("ready");
    ok(await berth("reap"));
    expect(await show(kept.id)).toEqual(kept);
    const { sandboxes } = sandboxList.parse(await berthJson("list"));
    expect(sandboxes.map(({ id }) => id)).not.toContain(gone.id);
    expect((await traces()).filter((line) => line.includes(gone.id))).toEqual([]);
  });

  it("leaves nothing of a creation that was under way when the daemon died before", async () => {
    const { sandboxes } = sandboxList.parse(await berthJson("list"));
    expect(sandboxes.map(({ id }) => id)).not.toContain(halfMade);
    expect((await traces()).filter((line) => line.includes(halfMade))).toEqual([]);
  });

  it("keeps its address, certificate, images, volumes and containers", async () => {
    // With the bundle of before.
    const read = ["run", "--rm", "-v", "notes:/n", "box", "cat", "/n/a"];
    expect(await client.docker(...read)).toBe("kept");
    const answer = async () =>
      fetch(web).then(
        (said) => said.text(),
        () => "",
      );
    await expect.poll(answer, { timeout: patience(10_000) }).toBe("kept\n");
  });

  it("holds its limits in the kernel again", async () => {
    expect(await memoryLimit()).toBe(String(640 * 1024 ** 2));
  });
});
