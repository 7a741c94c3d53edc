import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sandboxList, type Sandbox } from "../../src/lib/contract/sandbox.js";
import { sandboxVersion } from "../../src/provisioner/record-history.js";
import {
  install,
  lifeOf,
  packRelease,
  release,
  removeWork,
  restore,
  unpackRelease,
  work,
} from "./installer.js";
import {
  berth,
  berthJson,
  create,
  daemonAnswers,
  DockerClient,
  isOurs,
  ok,
  onHost,
  projectDir,
  run,
} from "./support.js";

// What an operator does with scripts/install: upgrade in place, a release that does not come up, one that is
// broken off, records of other versions.

const keeper = "e2e-installer";

/** A release that differs from this build's by what `change` does to it. */
async function changedRelease(name: string, change: string): Promise<string> {
  const tree = `${work}/${name}`;
  ok(await onHost(`rm -rf ${tree} && cp -a ${release} ${tree} && cd ${tree} && ${change}`));
  return tree;
}

const stamp = async () => ok(await onHost("cat /opt/berth/.stamp"));
const shown = async (property: string) =>
  ok(await onHost(`systemctl show --property=${property} --value berth.service`));
const active = async () =>
  (await onHost("systemctl is-active berth.service berth-reap.timer")).stdout;

describe.skipIf(!isOurs())("scripts/install (a real server's Berth is not taken away)", () => {
  let kept: Sandbox;
  let client: DockerClient;
  let life: string;
  let tarballs: string;

  beforeAll(async () => {
    tarballs = await packRelease();
    await unpackRelease(tarballs);
    kept = await create(keeper, "--ttl", "2h");
    client = await DockerClient.of(keeper, kept.dockerHost);
    await client.importBox();
    await client.docker("run", "-d", "--name", "web", "box", "httpd", "-f", "-p", "80");
    life = await lifeOf(kept);
  });

  afterAll(async () => {
    await restore();
    await berth("user", "remove", keeper);
    await client.remove();
    await rm(tarballs, { recursive: true, force: true });
    await removeWork();
  });

  it("comes as a tarball that has what its SHA256SUMS says, and is the same when made again", async () => {
    const check = (dir: string) => run("sha256sum", ["-c", "SHA256SUMS"], { cwd: dir });
    ok(await check(tarballs));
    const again = join(tarballs, "again");
    ok(await run(join(projectDir, "scripts", "release"), ["--as-built", "-o", again]));
    ok(await run("cmp", [join(tarballs, "SHA256SUMS"), join(again, "SHA256SUMS")]));
  });

  it("has modules of others built in, and their licenses with it", async () => {
    expect(ok(await onHost(`find ${release} -name node_modules`))).toBe("");
    const said = ok(await onHost(`cat ${release}/dist/third-party.md`));
    for (const name of ["dockerode", "express", "preact"])
      expect(said).toMatch(new RegExp(`^## ${name} \\d.*\\n\\n(MIT|Apache-2.0)\\n\\n    `, "m"));
  });

  it("says with --dry-run what it would do, and does nothing", async () => {
    const before = [await stamp(), await shown("InvocationID")];
    const said = ok(await install(release, "--dry-run"));
    expect(said).toContain(`in place of`);
    expect(said).toContain("make the file /etc/systemd/system/berth.service");
    expect([await stamp(), await shown("InvocationID")]).toEqual(before);
  });

  it.each([
    [["--frob"], "unknown argument --frob"],
    [["--purge"], "--purge goes with --uninstall"],
    [["--uninstall", "--downgrade"], "does not go with"],
  ])("answers %j with what is wrong and exit code 2", async (flags, message) => {
    const said = await install(release, ...flags);
    expect(said.code).toBe(2);
    expect(said.stderr).toContain(message);
  });

  it("upgrades in place without npm, and a sandbox's engine answers all the while", async () => {
    const next = await changedRelease("next", "echo 'next' >>README.md");
    const before = await shown("MainPID");
    const upgrade = { ended: false };
    const upgrading = install(next).finally(() => (upgrade.ended = true));
    let asked = 0;
    while (!upgrade.ended) {
      await client.docker("exec", "web", "true");
      asked++;
    }
    ok(await upgrading);
    expect(asked).toBeGreaterThan(0);
    expect(await shown("MainPID")).not.toBe(before);
    expect(await active()).toBe("active\nactive");
    expect(ok(await onHost("tail -n 1 /opt/berth/README.md; ls -d /opt/berth*"))).toBe(
      "next\n/opt/berth",
    );
    expect(await lifeOf(kept)).toBe(life);
    expect(ok(await berth("show", keeper))).toContain("ready");
  });

  it("puts all that is listed where it belongs, and directories where only root looks", async () => {
    const list = ok(await onHost("grep -E '^(file|link) ' /opt/berth/.installed | cut -d' ' -f2"));
    expect(list.split("\n")).toEqual(
      expect.arrayContaining(["/etc/systemd/system/berth.service", "/usr/local/bin/berth"]),
    );
    ok(await onHost(`for f in $(cut -d' ' -f2 <<<'${list}'); do [ -e "$f" ] || exit 1; done`));
    const modes = await onHost("stat -c '%a %U' /var/lib/berth /run/berth /var/lib/berth/users");
    expect(ok(modes)).toBe("700 root\n700 root\n700 root");
    expect((await onHost("find /opt/berth -perm /022 ! -type l | head -n 1")).stdout).toBe("");
  });

  it("brings man page and completions where man and the shells find them", async () => {
    const page = "/opt/berth/dist/share/man/man1/berth.1";
    // Where there is no man(1), as on the embedded host: the directory that it looks into.
    const found = "man -w berth 2>/dev/null || readlink -f /usr/local/share/man/man1/berth.1";
    expect(ok(await onHost(found))).toBe(page);
    const links = [
      "/usr/local/share/bash-completion/completions/berth",
      "/usr/local/share/zsh/site-functions/_berth",
      "/etc/fish/completions/berth.fish",
    ];
    ok(await onHost(`for f in ${links.join(" ")}; do [ -s $f ] || exit 1; done`));
  });

  it("puts the version before back, with the records, when the new one does not come up", async () => {
    const before = await stamp();
    const record = `/var/lib/berth/sandboxes/${kept.id}/sandbox.json`;
    const user = `/var/lib/berth/users/${keeper}.json`;
    const records = async () => ok(await onHost(`cat ${record} ${user}`));
    const recordsBefore = await records();
    // It has migrated records by the time it ends.
    const newer = `s/"version": [0-9]*/"version": 99/`;
    const broken = await changedRelease(
      "broken",
      `cat >bin/berth <<'END'
#!/bin/sh
sed -i '${newer}' ${record} ${user}
echo cannot go on >&2
exit 1
END`,
    );
    const said = await install(broken);
    expect(said.code).toBe(1);
    expect(said.stderr).toContain("cannot go on");
    expect(said.stderr).toMatch(/it ended \d+ times .*is in place again and answers/);
    expect(said.stderr).toContain(`as it was before: sandboxes/${kept.id}/sandbox.json`);
    expect(await records()).toBe(recordsBefore);
    expect(await stamp()).toBe(before);
    expect(ok(await onHost("ls -d /opt/berth*"))).toBe("/opt/berth");
    expect(await active()).toBe("active\nactive");
    expect(ok(await berth("show", keeper))).toContain("ready");
    expect(await lifeOf(kept)).toBe(life);
  });

  it.each([
    ["Ctrl-C", "INT", 130],
    ["kill -9", "KILL", 137],
  ])(
    "can be broken off by %s while the new version starts, and the host is in order, at once or when it runs again",
    async (_name, signal, code) => {
      const before = await stamp();
      const endless = await changedRelease(
        "endless",
        "printf '#!/bin/sh\\nexec sleep 600\\n' >bin/berth",
      );
      const starts = `[ "$(cat /opt/berth/.stamp)" != ${before} ] && [ "$(systemctl is-active berth)" = activating ]`;
      // With job control, so that it has a process group of its own and does not ignore the signal.
      const said = await onHost(`set -m; cd /
        ${endless}/scripts/install >${work}/said 2>&1 & group=$!
        for i in {1..1200}; do if ${starts}; then break; fi; sleep 0.1; done
        ${starts} || exit 2
        sleep 0.5; kill -${signal} -- -$group; wait $group; code=$?; cat ${work}/said; exit $code`);
      expect(said.code, said.stdout).toBe(code);
      if (signal === "INT") {
        expect(said.stdout).toContain("broken off: the Berth before is in place again");
        expect(await stamp()).toBe(before);
      } else {
        // Whichever version comes next, nothing is left of the one that was never seen to work.
        ok(await install(release));
        ok(await onHost(`cmp /opt/berth/bin/berth ${release}/bin/berth`));
      }
      await daemonAnswers();
      expect(ok(await onHost("ls -d /opt/berth*"))).toBe("/opt/berth");
      expect(await active()).toBe("active\nactive");
      expect(ok(await berth("show", keeper))).toContain("ready");
      expect(await lifeOf(kept)).toBe(life);
    },
  );

  it("is started as confined as its unit says, and in the host's mount namespace", async () => {
    const pid = await shown("MainPID");
    const status = ok(await onHost(`cat /proc/${pid}/status`));
    expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
    expect(status).toMatch(/^Seccomp:\s+2$/m);
    const bounding = BigInt(`0x${/^CapBnd:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? "0"}`);
    // capabilities(7): CAP_SYS_MODULE, CAP_SYS_RAWIO, CAP_SYS_BOOT, CAP_SYS_TIME, CAP_MKNOD
    for (const capability of [16n, 17n, 22n, 25n, 27n])
      expect((bounding >> capability) & 1n).toBe(0n);
    ok(await onHost(`[ "$(readlink /proc/${pid}/ns/mnt)" = "$(readlink /proc/1/ns/mnt)" ]`));
  });

  describe("and records of other versions", () => {
    const file = () => `/var/lib/berth/sandboxes/${kept.id}/sandbox.json`;

    /** Changes the record while the daemon is down; it is an object named `r` there. */
    async function rewrite(change: string): Promise<void> {
      const script = `const fs = require("fs"); const f = "${file()}";
        const r = JSON.parse(fs.readFileSync(f)); ${change}; fs.writeFileSync(f, JSON.stringify(r))`;
      ok(await onHost(`systemctl stop berth && node -e '${script}' && systemctl start berth`));
      await daemonAnswers();
    }
    const recorded = async () =>
      JSON.parse(ok(await onHost(`cat ${file()}`))) as Record<string, unknown>;

    it("migrates an older one, writes it when it changes, and its sandbox runs on", async () => {
      const before = await recorded();
      await rewrite("r.version = 1; delete r.egress; delete r.devices");
      expect(ok(await berth("show", keeper))).toContain("ready");
      expect((await recorded())["version"]).toBe(1);
      ok(await berth("extend", keeper, "--ttl", "1m"));
      const { expiresAt, ...migrated } = await recorded();
      const { expiresAt: expiredAt, ...same } = before;
      expect(migrated).toEqual(same);
      expect(Date.parse(String(expiresAt)) - Date.parse(String(expiredAt))).toBe(60_000);
      expect(migrated["version"]).toBe(sandboxVersion);
      expect(await lifeOf(kept)).toBe(life);
    });

    it("leaves a newer one alone, says which version is needed, and is not uninstalled over it", async () => {
      await rewrite("r.version = 99");
      const { sandboxes } = sandboxList.parse(await berthJson("list"));
      expect(sandboxes.map(({ id }) => id)).not.toContain(kept.id);
      ok(await berth("reap"));
      expect(await lifeOf(kept)).toBe(life);
      expect((await recorded())["version"]).toBe(99);
      const log = ok(await onHost("journalctl -u berth -n 100 -o cat"));
      expect(log).toContain(`${file()} is of version 99`);
      expect(log).toContain("install that Berth again");
      const said = await install(release, "--uninstall", "--yes");
      expect(said.code).toBe(1);
      expect(said.stderr).toContain(`${kept.id} (its record cannot be read)`);
      await rewrite(`r.version = ${sandboxVersion}`);
      expect(ok(await berth("show", keeper))).toContain("ready");
      expect(await lifeOf(kept)).toBe(life);
    });
  });
});
