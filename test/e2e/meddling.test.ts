import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { SandboxEvent } from "../../src/cli/events.js";
import type { Sandbox } from "../../src/lib/contract/sandbox.js";
import { reap, reapsOnlyWhenTold } from "./reaping.js";
import {
  berth,
  create,
  daemonAnswers,
  DockerClient,
  ok,
  onHost,
  patienceSeconds,
  rootApi,
  run,
  show,
  traces,
} from "./support.js";

// What is done to a sandbox behind Berth's back, on a real host, and how the daemon and `berth reap` mend it.

reapsOnlyWhenTold();

let before: string[];
beforeEach(async () => {
  before = await traces();
});

/** Without a deadline of its own a client waits long for an engine whose packets are dropped. */
const answers = async ({ dockerHost }: Sandbox): Promise<boolean> => {
  const deadlines = ["--connect-timeout", "1", "-m", String(patienceSeconds(1_000))];
  const { code } = await run("curl", ["-sk", ...deadlines, `https://${dockerHost.slice(6)}/_ping`]);
  // 56: it answered, and refused a client without certificate. 28: timed out, 7: refused.
  return code === 56 || code === 0;
};

describe("a sandbox that somebody meddles with", () => {
  const user = "e2e-mend";
  let made: Sandbox;
  let client: DockerClient;
  let memory: string;

  beforeAll(async () => {
    made = await create(user, "--memory", "768M");
    client = await DockerClient.of(user, made.dockerHost);
    await client.importBox();
    await client.docker("run", "--rm", "-v", "notes:/n", "box", "sh", "-c", "echo kept > /n/a");
    memory = await memoryLimit();
    expect(memory).toBe(String(768 * 1024 ** 2));
  });
  afterAll(async () => {
    ok(await berth("user", "remove", user));
    await client.remove();
  });
  afterEach(async () => {
    expect(await traces()).toEqual(before);
  });

  const memoryLimit = async () =>
    ok(
      await onHost(`cd /sys/fs/cgroup
        cat berth.slice/'${made.slice}'/memory.max 2>/dev/null ||
        cat memory/berth.slice/'${made.slice}'/memory.limit_in_bytes`),
    );

  /** The same sandbox as before: address, ports, limits in force, image and volume. */
  async function isItself(): Promise<void> {
    expect(await show(made.id)).toEqual(made);
    expect(await memoryLimit()).toBe(memory);
    const kept = await client.docker("run", "--rm", "-v", "notes:/n", "box", "cat", "/n/a");
    expect(kept).toBe("kept");
  }

  /** What is told of it from now on until it is ready again. */
  async function recovery(cause: string): Promise<SandboxEvent[]> {
    const begun = new Date().toISOString();
    ok(await onHost(cause));
    const api = await rootApi();
    const told: SandboxEvent[] = [];
    // The history comes first, so nothing is missed.
    for await (const event of api.events(made.id)) {
      if (event.at < begun) continue;
      told.push(event);
      if (event.event === "state" && event.state === "ready") break;
    }
    await api.close();
    return told;
  }

  it("is started again by itself when its container is killed; the events tell stopped, then ready", async () => {
    // The slice's limits are set and read back on the way, whatever became of them.
    ok(await onHost(`systemctl set-property --runtime '${made.slice}' MemoryMax=2G`));
    expect(await memoryLimit()).not.toBe(memory);
    const events = await recovery(`docker kill berth-${made.id}`);
    const states = events.flatMap((event) => (event.event === "state" ? [event.state] : []));
    expect(states).toEqual(["stopped", "ready"]);
    const done = events.flatMap((e) => (e.event === "step" && e.status === "done" ? [e.step] : []));
    // The slice holds its limits again before anything is started in it.
    expect(done).toContain("slice");
    expect(done.indexOf("slice")).toBeLessThan(done.indexOf("start"));
    expect(done.at(-1)).toBe("check");
    await isItself();
  });

  it("is started again by itself when its user's root turns it off from inside", async () => {
    await recovery(`docker exec berth-${made.id} sh -c 'kill -TERM 1'`);
    await isItself();
  });

  it("comes back with its data when its container is removed", async () => {
    await recovery(`docker rm -f berth-${made.id}`);
    expect((await reap()).actions).toEqual([]);
    await isItself();
  });

  it("comes back with its data when its container is removed while the daemon does not run", async () => {
    ok(await onHost(`systemctl stop berth; docker rm -f berth-${made.id}; systemctl start berth`));
    await daemonAnswers();
    ok(await berth("reap"));
    await isItself();
  });

  it("gets a network again when somebody removes it", async () => {
    // Every sandbox is on it, also those of whoever else uses this host.
    const network = `berth_${ok(await onHost("head -c 8 /var/lib/berth/installation-id"))}`;
    const members = `docker network inspect -f '{{range .Containers}}{{.Name}} {{end}}' ${network}`;
    ok(
      await onHost(
        `for c in $(${members}); do docker network disconnect -f ${network} $c || exit; done`,
      ),
    );
    ok(await onHost(`docker network rm ${network}`));
    expect(await answers(made)).toBe(false);
    expect((await reap()).actions).toContainEqual(
      expect.objectContaining({
        act: "start sandbox",
        thing: expect.stringContaining(made.id) as string,
        why: "its network is gone",
      }),
    );
    await isItself();
  });

  const table = async () =>
    ok(
      await onHost(
        "nft list tables ip | grep -o berth_$(head -c 8 /var/lib/berth/installation-id)'$'",
      ),
    );

  it.each(["flush", "delete"])("is reached again after nft %s table", async (verb) => {
    ok(await onHost(`nft ${verb} table ip ${await table()}`));
    expect(await answers(made)).toBe(false);
    const { actions } = await reap();
    expect(actions[0]).toMatchObject({
      act: "repair forwarding",
      why: "it differed from the records",
    });
    expect(await answers(made)).toBe(true);
    await isItself();
  });

  it("is reached again after the rule in DOCKER-USER is removed", async () => {
    const rules = "iptables -S DOCKER-USER | grep -e '--comment berth '";
    const policy = ok(await onHost("iptables -S FORWARD | head -n 1"));
    try {
      // What Docker sets unless forwarding was on before it came, as it is on the embedded host.
      ok(await onHost("iptables -P FORWARD DROP"));
      ok(await onHost(`${rules} | sed s/-A/-D/ | while read -r r; do iptables $r; done`));
      expect(await answers(made)).toBe(false);
      expect((await reap()).actions).toMatchObject([{ act: "repair forwarding" }]);
      expect(ok(await onHost(`${rules} | wc -l`))).toBe("1");
      expect(await answers(made)).toBe(true);
      await isItself();
    } finally {
      ok(await onHost(`iptables ${policy}`));
    }
  });
});

describe("a damaged record", () => {
  const user = "e2e-damaged";

  it("leaves that sandbox alone and running, and others work", async () => {
    const broken = await create(user);
    const { id } = broken;
    const record = `/var/lib/berth/sandboxes/${id}/sandbox.json`;
    const container = `docker inspect -f '{{.Id}} {{.State.StartedAt}}' berth-${id}`;
    const client = await DockerClient.of(user, broken.dockerHost);
    const running = ok(await onHost(container));
    try {
      ok(await onHost(`cp -p ${record} /var/tmp/ && echo '{"version": 1' > ${record}`));
      ok(await onHost("systemctl restart berth"));
      await daemonAnswers();
      expect((await reap()).actions).toEqual([]);
      expect(ok(await onHost(`journalctl -u berth -n 50 -o cat`))).toContain(
        `sandbox.json of ${id}`,
      );

      const other = await create("e2e-unharmed");
      expect(other.dockerHost).not.toBe(broken.dockerHost);
      expect(other.ports.from).toBeGreaterThan(broken.ports.to);
      ok(await berth("user", "remove", "e2e-unharmed"));
      ok(await berth("reap"));

      expect(ok(await onHost(container))).toBe(running);
      expect(await client.docker("version", "--format", "{{.Server.Os}}")).toBe("linux");
    } finally {
      ok(await onHost(`cp -p /var/tmp/sandbox.json ${record} && rm /var/tmp/sandbox.json`));
      ok(await onHost("systemctl restart berth"));
      await daemonAnswers();
      await client.remove();
    }
    expect(await show(id)).toEqual(broken);
    ok(await berth("user", "remove", user));
    await berth("user", "remove", "e2e-unharmed");
    expect(await traces()).toEqual(before);
  });
});
