import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { usage } from "../../src/lib/contract/sandbox.js";
import { berth, berthJson, create, DockerClient, ok, onHost, patience, traces } from "./support.js";
import { SecondBerth } from "./second-berth.js";

// What Berth does on cgroup v2 and cannot do on v1: there the same requests are served without it.

const shown = z.object({ usage });
const user = "e2e-unified";
const MiB = 1024 ** 2;

let clean: string[];
let isV2: boolean;

beforeAll(async () => {
  clean = await traces();
  isV2 = (await onHost("test -e /sys/fs/cgroup/cgroup.controllers")).code === 0;
});

afterAll(async () => {
  await berth("user", "remove", user);
  expect(await traces()).toEqual(clean);
});

/** The file of the slice's cgroup on v2. */
const sliceFile = async (slice: string, file: string) =>
  (await onHost(`cat '/sys/fs/cgroup/berth.slice/${slice}/${file}' 2>/dev/null || echo none`))
    .stdout;

describe("a user's memory", () => {
  it("slows its user down from a 32nd before the limit", async () => {
    const { slice, id } = await create(user, "--memory", "512M");
    expect(await sliceFile(slice, "memory.high")).toBe(isV2 ? String(496 * MiB) : "none");
    ok(await berth("resize", id, "--memory", "640M"));
    expect(await sliceFile(slice, "memory.high")).toBe(isV2 ? String(620 * MiB) : "none");
  });

  it("never takes a sandbox's engine along when a process of it is killed", async () => {
    const { slice } = await create(user, "--name", "group", "--memory", "256M");
    const groups = ok(
      await onHost(
        `find /sys/fs/cgroup/berth.slice/'${slice}' -maxdepth 2 -name memory.oom.group -exec cat {} + 2>/dev/null | sort -u`,
      ),
    );
    expect(groups).toBe(isV2 ? "0" : "");
    ok(await berth("remove", `${user}/group`));
  });
});

describe("a user's traffic with the disk", () => {
  const second = new SecondBerth({ io: { write: "4M", readIops: 700 } });
  afterAll(() => second.remove());

  it("is bounded as the operator says, through the loop device that a disk is", async () => {
    await second.start();
    const made = await second.create("e2e-io");
    const found = await sliceFile(made.slice, "io.max");
    if (isV2) {
      expect(found).toContain("rbps=max wbps=4194304 riops=700 wiops=max");
      const written = await writes(await second.client(made));
      expect(written).toBeLessThan(1.2 * 4 * MiB);
      // By nothing else, and only for those it is meant for.
      const other = await create(user, "--name", "io");
      expect(await writes(await DockerClient.of(other.id, other.dockerHost))).toBeGreaterThan(
        2 * written,
      );
      ok(await berth("remove", other.id));
    } else expect(found).toBe("none");
    ok(await second.berth("remove", "e2e-io"));
  });
});

/** Bytes that a container of this client writes to its disk in a second of its own clock; 48 MiB of them. */
async function writes(client: DockerClient): Promise<number> {
  await client.importBox();
  const clock = "cut -d' ' -f1 /proc/uptime";
  const write = "dd if=/dev/zero of=/zeros bs=1M count=48 conv=fsync 2>/dev/null";
  const said = await client.docker(
    "run",
    "--rm",
    "box",
    "sh",
    "-c",
    `${clock}; ${write}; ${clock}`,
  );
  await client.remove();
  const [from = NaN, to = NaN] = said.split("\n").map(Number);
  return (48 * MiB) / (to - from);
}

describe("usage", () => {
  it("tells for what a sandbox's processes waited", async () => {
    const made = await create(user, "--name", "busy", "--cpus", "0.3");
    const client = await DockerClient.of(made.id, made.dockerHost);
    const seen = async () => shown.parse(await berthJson("show", made.id)).usage;
    try {
      await client.importBox();
      await client.docker("run", "-d", "box", "sh", "-c", "while :; do :; done & wait");
      if (isV2) {
        const waited = async () => (await seen()).pressure?.cpu.somePercent ?? 0;
        await expect.poll(waited, { timeout: patience(60_000), interval: 1000 }).toBeGreaterThan(5);
        const said = ok(await berth("show", made.id));
        expect(said).toMatch(/waited for +.*cpu \d+ % of the last minute/);
      } else expect((await seen()).pressure).toBeUndefined();
    } finally {
      await client.remove();
      ok(await berth("remove", made.id));
    }
  });
});
