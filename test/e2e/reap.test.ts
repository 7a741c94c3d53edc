import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { SandboxEvent } from "../../src/cli/events.js";
import {
  reapResult,
  sandbox,
  type ReapResult,
  type Sandbox,
} from "../../src/lib/contract/sandbox.js";
import { daemonReapsAsUsual, daemonReapsEvery } from "./reap-interval.js";
import {
  berth,
  berthJson,
  create,
  daemonAnswers,
  DockerClient,
  ok,
  onHost,
  patience,
  patienceSeconds,
  rootApi,
  run,
  traces,
} from "./support.js";

// What goes wrong behind Berth's back on a real host, and what `berth reap` and the daemon make of it.

let clean: string[];
let before: string[];

beforeAll(async () => {
  // Only our own reaping counts here.
  ok(await onHost("systemctl stop berth-reap.timer"));
  await daemonReapsEvery("1d");
  clean = await traces();
});
afterAll(async () => {
  await daemonReapsAsUsual();
  ok(await onHost("systemctl start berth-reap.timer"));
  expect(await traces()).toEqual(clean);
});
beforeEach(async () => {
  before = await traces();
});

const reap = async (...flags: string[]): Promise<ReapResult> =>
  reapResult.parse(await berthJson("reap", ...flags));

/** Without the usage that `show` tells beside. */
const show = async (id: string) => sandbox.parse(await berthJson("show", id));

/** How a reap says that a sandbox's time is over; with minutes where everything takes long. */
const expired = "expired( \\d+[hms])+ ago";

/** Without a deadline of its own a client waits long for an engine whose packets are dropped. */
const answers = async ({ dockerHost }: Sandbox): Promise<boolean> => {
  const deadlines = ["--connect-timeout", "1", "-m", String(patienceSeconds(1_000))];
  const { code } = await run("curl", ["-sk", ...deadlines, `https://${dockerHost.slice(6)}/_ping`]);
  // 56: it answered, and refused a client without certificate. 28: timed out, 7: refused.
  return code === 56 || code === 0;
};

describe("an expired sandbox", () => {
  const user = "e2e-short";
  afterEach(async () => {
    ok(await onHost("systemctl start berth"));
    await daemonAnswers();
    await berth("user", "remove", user);
    expect(await traces()).toEqual(before);
  });

  it("is named with the reason by a dry run, which does nothing, and removed by the next reap", async () => {
    const { id } = await create(user, "--ttl", "3s");
    const alive = await traces();
    const wouldRemove = async () => (await reap("--dry-run")).actions;
    await expect.poll(wouldRemove, { timeout: patience(10_000) }).toEqual([
      {
        act: "remove sandbox",
        thing: `${id} (${user}/default)`,
        why: expect.stringMatching(new RegExp(`^${expired}$`)) as string,
      },
    ]);
    expect(await traces()).toEqual(alive);
    expect((await show(id)).state).toBe("ready");

    const said = await berth("reap");
    expect(said.code).toBe(0);
    expect(said.stdout).toMatch(new RegExp(`^remove sandbox ${id} .*: ${expired}$`));
    expect(await traces()).toEqual(before);
  });

  it("is removed with the daemon stopped too, in the process of berth reap on the host", async () => {
    const { id } = await create(user, "--ttl", "2s");
    ok(await onHost("systemctl stop berth"));
    const onTheSpot = async (...flags: string[]) =>
      reapResult.parse(
        JSON.parse(
          ok(await onHost(["/opt/berth/bin/berth", "reap", "--json", ...flags].join(" "))),
        ),
      );
    const wouldRemove = async () => (await onTheSpot("--dry-run")).actions.map(({ act }) => act);
    await expect.poll(wouldRemove, { timeout: patience(10_000) }).toEqual(["remove sandbox"]);
    expect((await onTheSpot()).actions).toMatchObject([{ act: "remove sandbox" }]);
    expect(await traces()).toEqual(before);
    // As cron on the outer machine would call it: it finds the host, and nothing left to do.
    expect(await reap()).toEqual({ dryRun: false, actions: [] });
    expect(ok(await onHost("systemctl is-active berth || true"))).toBe("inactive");
    ok(await onHost("systemctl start berth"));
    await daemonAnswers();
    expect((await berth("show", id)).stderr).toContain("(SANDBOX_NOT_FOUND)");
  });
});

describe("a daemon that starts while a reap works without it", () => {
  it("waits for that", async () => {
    // As a reap has it, until the daemon says that it waits.
    const said = await onHost(`systemctl stop berth
      now=$(date +%s)
      waits() { journalctl -u berth --since @$now -o cat | grep -q 'should it be a reap'; }
      (flock 9; for i in {1..100}; do if waits; then exit; fi; sleep 0.1; done) 9>>/var/lib/berth/lock &
      while flock --nonblock /var/lib/berth/lock true; do sleep 0.05; done
      systemctl start berth && waits`);
    expect(said).toEqual({ code: 0, stdout: "", stderr: "" });
  });
});

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

describe("what lies about on the host", () => {
  afterEach(async () => {
    expect(await traces()).toEqual(before);
  });

  const image = async () => {
    const { images } = (await berthJson("image", "list")) as {
      images: { tag: string; current: boolean }[];
    };
    return images.find(({ current }) => current)?.tag ?? "";
  };

  it("is removed when it carries our labels and no record speaks of it", async () => {
    const id = "strayabc";
    ok(
      await onHost(`
        set -e
        l="--label berth.sandbox=${id} --label berth.installation=$(cat /var/lib/berth/installation-id)"
        docker network create $l berth-${id}
        docker create $l --name berth-${id} ${await image()}
        mkdir /var/lib/berth/sandboxes/${id}`),
    );
    expect((await reap()).actions).toMatchObject([
      {
        act: "remove leftovers of sandbox",
        thing: id,
        why: "container, network, directory without a record",
      },
    ]);
  });

  it("is never touched when it only looks like ours", async () => {
    const look = `
      docker ps -a --filter name='^berth-abcdefg' --format '{{.Names}} {{.ID}}' | sort
      docker network inspect -f '{{.Id}}' berth-abcdefgh
      systemctl show --property MainPID berth-e2e-stranger.service
      cat /var/lib/berth/sandboxes/lost+found/file /var/lib/berth/sandboxes/keepsake/file
      nft list table ip berth_00000000
      losetup --noheadings --list --output NAME,BACK-FILE | grep /var/tmp/berth-e2e-disk.img`;
    const away = `
      docker rm -f berth-abcdefgh berth-abcdefgi; docker network rm berth-abcdefgh
      systemctl stop berth-e2e-stranger.service; systemctl stop berth-stranger.slice
      rm -r /var/lib/berth/sandboxes/lost+found /var/lib/berth/sandboxes/keepsake
      nft delete table ip berth_00000000
      losetup -d $(losetup --noheadings --output NAME --associated /var/tmp/berth-e2e-disk.img)
      rm /var/tmp/berth-e2e-disk.img`;
    try {
      ok(
        await onHost(`
          set -e
          docker create --name berth-abcdefgh ${await image()}
          docker create --name berth-abcdefgi --label berth.sandbox=abcdefgi \\
            --label berth.installation=00000000ffffffff ${await image()}
          docker network create berth-abcdefgh
          systemd-run --quiet --unit=berth-e2e-stranger --slice=berth-stranger.slice sleep 600
          cd /var/lib/berth/sandboxes
          mkdir lost+found keepsake
          echo mine | tee lost+found/file keepsake/file
          nft add table ip berth_00000000
          nft add chain ip berth_00000000 mine
          truncate -s 1M /var/tmp/berth-e2e-disk.img
          losetup --find /var/tmp/berth-e2e-disk.img`),
      );
      const there = ok(await onHost(look));
      const reaped = await berth("reap", "--json");
      // A directory with a sandbox's name and without record is looked at, and kept for what is in it.
      const { actions } = reapResult.parse(JSON.parse(reaped.stdout));
      expect(actions).toMatchObject([{ thing: "keepsake", error: expect.any(String) as string }]);
      expect(reaped.code).toBe(1);
      expect(ok(await onHost(look))).toBe(there);
    } finally {
      await onHost(away);
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
