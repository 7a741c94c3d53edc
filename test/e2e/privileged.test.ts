import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Sandbox } from "../../src/lib/contract/sandbox.js";
import { verification } from "../../src/lib/contract/verify.js";
import { SecondBerth } from "./second-berth.js";
import { DockerClient, ok, onHost } from "./support.js";

// The isolation for trusted users: a Berth of its own allows it, by a profile.

const user = "e2e-trusted";
let second: SecondBerth;
let made: Sandbox;
let client: DockerClient;

beforeAll(async () => {
  second = await new SecondBerth({
    allowPrivileged: true,
    profiles: { trusted: { isolation: "privileged" } },
  }).start();
  made = await second.create(user, "--profile", "trusted");
  client = await second.client(made);
  await client.importBox();
});

afterAll(async () => {
  ok(await second.berth("user", "remove", user));
  expect(await second.traces()).toEqual([]);
  await second.remove();
  await client.remove();
});

describe("a privileged sandbox", () => {
  it("says in API, command line and bundle that its user can become root on the host", async () => {
    expect(made.isolation).toBe("privileged");
    expect(made.warning).toContain("root on the host");
    expect(ok(await second.berth("show", made.id))).toContain("root on the host");
    const readme = await onHost(
      `d=$(mktemp -d); BERTH_SOCKET=${second.socket} /opt/berth/bin/berth bundle ${made.id} -o $d/b >&2; cat $d/b/README.txt; rm -r $d`,
    );
    expect(ok(readme)).toContain("can become root on the host");
  });

  it("has a network of its own", async () => {
    const networks = ok(await onHost(`docker network ls --format '{{.Name}}'`)).split("\n");
    expect(networks).toContain(`berth-${made.id}`);
  });

  it("runs containers, and is real root in them", async () => {
    const map = await client.docker("run", "--rm", "box", "cat", "/proc/self/uid_map");
    expect(map.trim().split(/\s+/)).toEqual(["0", "0", "4294967295"]);
  });

  it("fails berth verify: nothing but its limits holds it, and the look from inside gets out", async () => {
    const ran = await second.berth("verify", made.id, "--json");
    expect(ran.code).toBe(1);
    const { checks } = verification.parse(JSON.parse(ran.stdout));
    const host = checks.filter(({ seenFrom }) => seenFrom === "host");
    expect(host).toMatchObject([{ name: "limits", ok: true }]);
  });
});

describe("a profile that is privileged", () => {
  it("is refused by a Berth whose operator did not allow it", async () => {
    const other = new SecondBerth({ profiles: { trusted: { isolation: "privileged" } } });
    const ran = await other.serveInVain();
    expect(ran.code).not.toBe(0);
    expect(ran.stdout + ran.stderr).toContain("allowPrivileged: true");
    await other.remove();
  });
});
