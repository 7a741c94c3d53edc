import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { verification } from "../../src/lib/contract/verify.js";
import type { Sandbox } from "../../src/lib/contract/sandbox.js";
import {
  berth,
  berthJson,
  create,
  DockerClient,
  ok,
  onHost,
  patience,
  show,
  traces,
} from "./support.js";

// How a sandbox is held, as far as it is not an attack (test/security): uids given and taken back,
// the bridge, `berth verify`, the disk's space given back, many loop devices.

const user = "e2e-held";
let before: string[];
let made: Sandbox;
let client: DockerClient;

beforeAll(async () => {
  before = await traces();
  made = await create(user, "--memory", "768M", "--disk", "2G");
  client = await DockerClient.of(user, made.dockerHost);
  await client.importBox();
});

afterAll(async () => {
  ok(await berth("user", "remove", user));
  await client.remove();
  expect(await traces()).toEqual(before);
});

/** First host uid of a sandbox, by the kernel's own word: its engine's process. */
async function uidBase(id: string): Promise<number> {
  return Number(
    ok(await onHost(`docker inspect -f '{{index .Config.Labels "berth.uids"}}' berth-${id}`)),
  );
}

describe("a sandbox", () => {
  it("is held by a user namespace unless told otherwise, and nobody is warned", () => {
    expect(made.isolation).toBe("userns");
    expect(made.warning).toBeUndefined();
  });

  it("has uids that no other has, which the next one gets when it is gone", async () => {
    const [first, second] = [await create(user, "--name", "b"), await create(user, "--name", "c")];
    const bases = await Promise.all([made, first, second].map(({ id }) => uidBase(id)));
    expect(new Set(bases).size).toBe(3);
    for (const base of bases) expect((base - 0x40000000) % 65_536).toBe(0);
    ok(await berth("remove", first.id));
    const next = await create(user, "--name", "d");
    expect(await uidBase(next.id)).toBe(bases[1]);
    ok(await berth("remove", second.id, next.id));
  });

  it("has files that belong to its uids on the host, and nobody else's", async () => {
    await client.docker(
      "run",
      "--rm",
      "-v",
      "kept:/v",
      "box",
      "sh",
      "-c",
      "touch /v/a; chown 42 /v/a",
    );
    const base = await uidBase(made.id);
    // Root looks at a disk of a test's own making; Berth never does.
    const owner = await onHost(
      `stat -c %u /run/berth/disks/${made.id}/docker/volumes/kept/_data/a`,
    );
    expect(Number(ok(owner))).toBe(base + 42);
  });

  it("passes every check of berth verify, from the host and from inside", async () => {
    const found = verification.parse(await berthJson("verify", user));
    expect(found.checks.filter(({ ok }) => !ok)).toEqual([]);
    expect(found.ok).toBe(true);
    const seenFrom = (side: string) => found.checks.filter((check) => check.seenFrom === side);
    expect(seenFrom("host").map(({ name }) => name)).toEqual([
      ...["limits", "uids", "uid map", "capabilities", "namespaces", "system calls", "firewall"],
    ]);
    expect(seenFrom("inside").length).toBeGreaterThan(25);
    // Nothing of the look is left inside.
    expect(await client.docker("ps", "-aq", "--filter", "name=berth-verify")).toBe("");
    expect(await client.docker("images", "-q", "berth-verify*")).toBe("");
  });

  it("gives the host back what it deletes on its disk", async () => {
    const blocks = async () =>
      Number(ok(await onHost(`stat -c %b /var/lib/berth/sandboxes/${made.id}/disk.img`))) * 512;
    const empty = await blocks();
    const write = "dd if=/dev/urandom of=/v/big bs=1M count=200 2>/dev/null; sync";
    await client.docker("run", "--rm", "-v", "kept:/v", "box", "sh", "-c", write);
    expect((await blocks()) - empty).toBeGreaterThan(190 * 1024 ** 2);
    await client.docker("run", "--rm", "-v", "kept:/v", "box", "sh", "-c", "rm /v/big; sync");
    // A discard goes out with the transaction that frees the blocks; syncfs waits for it.
    ok(await onHost(`sync -f /run/berth/disks/${made.id}`));
    expect((await blocks()) - empty).toBeLessThan(20 * 1024 ** 2);
  });

  it("fills its disk and no more: inodes, layers and volumes count together", async () => {
    const fill = "dd if=/dev/zero of=/v/fill bs=1M 2>&1 | tail -n 1; df -P /v | tail -n 1";
    const said = await client.docker("run", "--rm", "-v", "fill:/v", "box", "sh", "-c", fill);
    expect(said).toMatch(/ 100% /);
    const size = ok(await onHost(`stat -c %s /var/lib/berth/sandboxes/${made.id}/disk.img`));
    expect(Number(size)).toBe(2 * 1024 ** 3);
    // It can still be emptied by its user.
    await client.docker("volume", "rm", "fill");
    await client.docker("run", "--rm", "box", "true");
  });

  it("comes back with all it had when somebody kills its container and removes the bridge", async () => {
    await client.docker("create", "--name", "kept", "box", "true");
    const bridge = ok(
      await onHost(
        `docker inspect -f '{{range $k, $v := .NetworkSettings.Networks}}{{$k}}{{end}}' berth-${made.id}`,
      ),
    );
    // Only when no other sandbox is on it does the engine remove it; then it is made anew.
    ok(await onHost(`docker kill berth-${made.id}; docker network rm ${bridge} || true`));
    // The daemon sees it stop and starts it again by itself.
    const state = async () => (await show(made.id)).state;
    await expect.poll(state, { timeout: patience(30_000), interval: 100 }).toBe("ready");
    expect(await client.docker("ps", "-a", "--format", "{{.Names}}")).toBe("kept");
    await client.docker("rm", "kept");
  });
});

describe("more than 256 loop devices", () => {
  const attach = `
    mkdir -p /var/tmp/berth-loops && cd /var/tmp/berth-loops
    for i in $(seq 260); do truncate -s 1M $i.img; losetup --find $PWD/$i.img || exit 1; done`;
  const detach = `
    losetup -lnO NAME,BACK-FILE | awk '$2 ~ "^/var/tmp/berth-loops/" {print $1}' | xargs -r losetup -d
    rm -rf /var/tmp/berth-loops`;

  it("are no hindrance to the next sandbox", async () => {
    try {
      ok(await onHost(attach));
      const one = await create(user, "--name", "late");
      expect(one.state).toBe("ready");
      ok(await berth("remove", one.id));
    } finally {
      ok(await onHost(detach));
    }
  });
});
