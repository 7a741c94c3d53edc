import { rm } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sandboxList, type Sandbox } from "../../src/lib/contract/sandbox.js";
import { userList } from "../../src/lib/contract/user.js";
import {
  backUp,
  imagesOfBerth,
  install,
  lifeOf,
  packRelease,
  release,
  removeWork,
  restore,
  unpackRelease,
} from "./installer.js";
import {
  addUser,
  berth,
  berthJson,
  create,
  daemonAnswers,
  isOurs,
  ok,
  onHost,
  patience,
  patienceSeconds,
} from "./support.js";

// scripts/install --uninstall [--purge]. Where others' sandboxes are, both would take them.

const keeper = "e2e-uninstaller";

/** Everything of Berth on the host but what is kept on purpose; brackets keep the shell from finding itself. */
async function left(): Promise<string[]> {
  const lines = await onHost(`
    ls -d /opt/berth* /usr/local/bin/berth /etc/systemd/system/berth* /etc/systemd/system/*.wants/berth* \\
      /usr/local/share/man/man?/berth* /usr/local/share/bash-completion/completions/berth \\
      /usr/local/share/zsh/site-functions/_berth /etc/fish/completions/berth.fish /run/berth 2>/dev/null
    systemctl list-units --all --plain --no-legend 'berth*' | grep -v berth-e2e- | sed 's/^/unit /'
    for p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline 2>/dev/null && echo; done |
      grep -e '/opt/[b]erth/' -e 'lib/[b]erth/lock' | sed 's/^/process /'
    findmnt -rno TARGET | grep '^/run/berth/' | sed 's/^/mount /'
    losetup -lnO BACK-FILE | grep /var/lib/berth/ | sed 's/^/loop /'
    nft list tables | grep -o 'berth.*' | sed 's/^/table /'
    iptables-save 2>/dev/null | grep -w 'comment berth' | sed 's/^/rule /'
    docker ps -a --filter label=berth.sandbox --format 'container {{.Names}}'
    docker network ls --filter label=berth.installation --format 'network {{.Name}}'
    find /sys/fs/cgroup -type d -name 'berth*.slice' | sed 's/^/cgroup /'
    true`);
  return ok(lines).split("\n").filter(Boolean);
}

/** Whoever has sandboxes on this host that were not made here would lose them. */
async function skipForStrangers(skip: (why: string) => void): Promise<void> {
  const { sandboxes } = sandboxList.parse(await berthJson("list"));
  const others = sandboxes.filter(({ user }) => !user.startsWith("e2e-")).map(({ user }) => user);
  if (others.length > 0) skip(`sandboxes of ${others.join(", ")} are on this host`);
}

describe.skipIf(!isOurs())("Berth (a real server's is not taken away)", () => {
  let kept: Sandbox;

  beforeAll(async () => {
    const tarballs = await packRelease();
    await unpackRelease(tarballs);
    await rm(tarballs, { recursive: true });
    kept = await create(keeper);
  });

  afterAll(async () => {
    await restore();
    await berth("user", "remove", keeper);
    await removeWork();
  });

  it("is not uninstalled while there are sandboxes, nor without a word from somebody", async () => {
    const life = await lifeOf(kept);
    const refused = await install(release, "--uninstall", "--yes");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(`${keeper}/default (${kept.id})`);
    expect(refused.stderr).toContain("--purge");
    const unasked = await install(release, "--uninstall", "--purge");
    expect(unasked.code).toBe(1);
    expect(unasked.stdout).toContain(`remove sandbox ${kept.id}`);
    expect(unasked.stderr).toContain("say --yes");
    expect(ok(await berth("show", keeper))).toContain("ready");
    expect(await lifeOf(kept)).toBe(life);
  });

  it(
    "is uninstalled without a trace but for its data, and installed again as it was",
    { timeout: patience(400_000) },
    async ({ skip }) => {
      await skipForStrangers(skip);
      await addUser("e2e-left");
      ok(await berth("remove", keeper));
      const images = await imagesOfBerth();
      // By the copy that an operator has, whose tarball is gone.
      const said = await install("/opt/berth", "--uninstall", "--yes");
      ok(said);
      expect(said.stdout).toContain("/etc/systemd/system/berth.service");
      expect(await left()).toEqual([]);
      expect(await imagesOfBerth()).toEqual(images);
      ok(await onHost("ls /var/lib/berth/users/e2e-left.json /var/lib/berth/ca-key.pem"));
      expect((await install(release, "--uninstall", "--yes")).stderr).toContain(
        "there is no Berth",
      );

      ok(await install(release));
      await daemonAnswers();
      const { users } = userList.parse(await berthJson("user", "list"));
      expect(users.map(({ name }) => name)).toContain("e2e-left");
      ok(await berth("user", "remove", "e2e-left"));
      const fresh = await create(keeper);
      expect(fresh.state).toBe("ready");
    },
  );

  it(
    "is purged with all its data, also when that is broken off in the middle",
    { timeout: patience(400_000) },
    async ({ skip }) => {
      await skipForStrangers(skip);
      await create(keeper, "--name", "second");
      await backUp();
      const meanwhile = await onHost("berth clear-host --purge --yes");
      expect(meanwhile.code).toBe(1);
      expect(meanwhile.stderr).toContain("another Berth works on /var/lib/berth");
      expect(sandboxList.parse(await berthJson("list")).sandboxes).toHaveLength(2);
      await onHost(`systemctl stop berth-reap.timer berth
      timeout -s KILL ${patienceSeconds(1_500)} /opt/berth/bin/berth clear-host --purge --yes`);
      ok(await install(release, "--uninstall", "--purge", "--yes"));
      expect(await left()).toEqual([]);
      expect(await imagesOfBerth()).toEqual([]);
      // A directory that is a mount of its own, as on the embedded host, stays and is empty.
      expect((await onHost("ls -A /var/lib/berth 2>/dev/null; ls -d /etc/berth")).stdout).toBe("");

      await restore();
      const fresh = await create(keeper);
      expect(fresh.state).toBe("ready");
    },
  );
});
