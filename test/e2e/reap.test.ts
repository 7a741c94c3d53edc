import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { reapResult } from "../../src/lib/contract/sandbox.js";
import { reap, reapsOnlyWhenTold } from "./reaping.js";
import {
  berth,
  berthJson,
  create,
  daemonAnswers,
  ok,
  onHost,
  patience,
  show,
  traces,
} from "./support.js";

// What `berth reap` makes of sandboxes whose time is over, and of what lies about without a record.

reapsOnlyWhenTold();

let before: string[];
beforeEach(async () => {
  before = await traces();
});

/** How a reap says that a sandbox's time is over; with minutes where everything takes long. */
const expired = "expired( \\d+[hms])+ ago";

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
