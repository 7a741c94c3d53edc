import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ok, onHost, patience, type Ran } from "../e2e/support.js";
import { against, Target } from "./target.js";

// A user lays traps on their disk, at names that Berth or a tool of the host could follow: links to a place
// of the host, pipes nobody writes to, odd names. None of these was seen to fail: no part of Berth looks
// at a disk in either isolation. That a look would be seen is shown first.

const bait = `/run/berth-bait-${randomBytes(3).toString("hex")}`;
let target: Target;
let scratch: string;

beforeAll(async () => {
  target = await Target.open("e2e-sec-traps");
  scratch = await mkdtemp(join(tmpdir(), "berth-security-"));
  ok(await onHost(layBait));
});

afterAll(async () => {
  ok(await onHost(`rm -r ${bait}`));
  await rm(scratch, { recursive: true });
  await target.close();
});

/** Something to be read, changed or removed by whoever follows a link. */
const layBait = `
  mkdir -p ${bait}/docker && echo bait >${bait}/file && echo bait >${bait}/docker/file`;

/** Names, owners, sizes and times, a file's last reading included. */
const bitten = async () =>
  ok(
    await onHost(
      `find ${bait} -printf '%p %y %m %u %s %T@ %C@\\n' -type f -printf '%A@\\n' | sort`,
    ),
  );

const traps = `
  cd /data
  for name in sandbox.json ca.pem disk.img certs sandboxes ca-key.pem; do
    ln -sfn ${bait}/file "$name" 2>/dev/null
  done
  ln -s ${bait} link; ln -s / root; ln -s /data/loop loop; ln -s ../../../../../etc up
  mkfifo pipe docker.pid containerd.sock
  perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Local => "/data/berth.sock", Listen => 1) or die'
  touch -- -rf '--help' '$(reboot)' "$(printf 'two\\nlines')" "$(printf '\\377\\033[2J')" ' ' '*' ';'
  mkdir -p "$(perl -e 'print "deep/" x 400')"
  chmod 0 /data/containerd`;

/** Where the engine keeps everything, for its next start, which is soon. */
const lastTrap = `
  umount -l /data/docker; mv /data/docker /data/was-docker && ln -s ${bait}/docker /data/docker &&
  kill -s KILL $(pidof dockerd)`;

/** It answers soon, whatever it says. */
async function answer(...args: string[]): Promise<Ran> {
  const started = performance.now();
  const ran = await target.berth(...args);
  expect(ran.stderr).not.toContain("timed out");
  expect(performance.now() - started).toBeLessThan(patience(30_000));
  return ran;
}

describe.runIf(against === "userns")("traps on a sandbox's disk", () => {
  let untouched: string;

  it("would be noticed if they caught somebody", async () => {
    const before = await bitten();
    ok(await onHost(`cat ${bait}/file`));
    const read = await bitten();
    expect(read).not.toBe(before);
    ok(await onHost(`touch ${bait}/docker/more && rm ${bait}/docker/more`));
    untouched = await bitten();
    expect(untouched).not.toBe(read);
    // The next reading shows again: it is earlier than the last change.
    ok(await onHost(`rm -r ${bait}; ${layBait}`));
    untouched = await bitten();
  });

  it("catch none of show, list, bundle and reap", async () => {
    const { id } = target.sandbox;
    ok(await target.asRoot(traps));
    expect(ok(await answer("show", id, "--json"))).toContain(id);
    expect(ok(await answer("list"))).toContain(id);
    ok(await answer("bundle", id, "-o", join(scratch, "bundle")));
    await answer("reap");
    expect(await bitten()).toBe(untouched);
  });

  it("catch nobody when the sandbox starts again", async () => {
    const { id } = target.sandbox;
    const started = `docker inspect -f '{{.State.StartedAt}}' berth-${id}`;
    const first = ok(await onHost(started));
    // The client sees its connection end.
    await target.asRoot(lastTrap);
    await expect
      .poll(async () => ok(await onHost(started)), { timeout: patience(30_000), interval: 200 })
      .not.toBe(first);
    await answer("show", id, "--json");
    expect(await bitten()).toBe(untouched);
  });

  it("catch nobody at the removal, which leaves nothing", async () => {
    const { id } = target.sandbox;
    ok(await answer("remove", id));
    expect(await bitten()).toBe(untouched);
    const left = await onHost(`
      docker ps -a --filter label=berth.sandbox=${id} --format '{{.Names}}'
      grep -o '/run/berth/disks/${id}' /proc/self/mountinfo
      losetup -lnO BACK-FILE | grep ${id}
      ls -d /var/lib/berth/sandboxes/${id} /run/berth/disks/${id} 2>/dev/null
      nft list ruleset | grep ${id}
      true`);
    expect(ok(left)).toBe("");
  });
});
