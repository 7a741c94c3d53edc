import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sandbox, usage, type Sandbox } from "../../src/lib/contract/sandbox.js";
import {
  armed,
  berth,
  berthJson,
  create,
  daemonAnswers,
  DockerClient,
  kernelLimits,
  ok,
  onHost,
  patience,
  rootApi,
  show,
  traces,
} from "./support.js";

// A sandbox's limits change while a container runs in it. What holds is read from the kernel's own
// files, of the user's slice and of the sandbox's container, and from df inside.

const user = "e2e-resize";
const MiB = 1024 ** 2;
const GiB = 1024 ** 3;

let before: string[];
let made: Sandbox;
let client: DockerClient;
let running: string;

beforeEach(async () => {
  before = await traces();
  const limits = ["--memory", "512M", "--cpus", "0.5", "--pids", "300", "--disk", "1G"];
  made = await create(user, ...limits);
  client = await DockerClient.of(user, made.dockerHost);
  await client.importBox();
  const sleep = ["run", "-d", "--name", "sleeper", "-v", "notes:/n", "box", "sleep", "600"];
  await client.docker(...sleep);
  running = await lives();
});

afterEach(async () => {
  ok(await berth("user", "remove", user));
  await client.remove();
  expect(await traces()).toEqual(before);
});

/** What differs once the sandbox or the container in it was started anew. */
async function lives(): Promise<string> {
  const outer = ok(await onHost(`docker inspect -f '{{.State.StartedAt}}' berth-${made.id}`));
  const format = "{{.State.Running}} {{.State.StartedAt}}";
  return `${outer} ${await client.docker("inspect", "-f", format, "sleeper")}`;
}

/** What the kernel holds the user's slice to, and the sandbox's own container. */
async function inForce() {
  const id = ok(await onHost(`docker inspect -f '{{.Id}}' berth-${made.id}`));
  // The scope's name with the systemd cgroup driver, the directory's with cgroupfs.
  const names = `-name docker-${id}.scope -o -name ${id}`;
  const found = ok(
    await onHost(`find /sys/fs/cgroup -type d \\( ${names} \\) 2>/dev/null | head -n 1`),
  );
  return {
    slice: await kernelLimits(`berth.slice/${made.slice}`),
    container: await kernelLimits(found.slice(found.indexOf("berth.slice/"))),
  };
}

const both = (limits: { memoryBytes: number; cpus: number; pids: number }) => ({
  slice: limits,
  container: limits,
});

const shown = () => show(made.id);

/** Size of the file system that the sandbox's volumes are on, bytes; a little less than the disk. */
async function diskInside(): Promise<number> {
  const told = await client.docker("exec", "sleeper", "df", "-k", "/n");
  return Number(/(\d+)\s+\d+\s+\d+\s+\d+%/.exec(told)?.[1]) * 1024;
}

/** Whether the host's root may resize what is mounted (CAP_SYS_RESOURCE, capabilities(7)). */
async function mayGrow(): Promise<boolean> {
  const mask = ok(await onHost("awk '/^CapEff:/ { print $2 }' /proc/self/status"));
  return ((BigInt(`0x${mask}`) >> 24n) & 1n) === 1n;
}

describe("resizing a sandbox in which a container runs", () => {
  afterEach(async () => {
    expect(await lives()).toBe(running);
  });

  it("lets memory, processor time and pids grow in the kernel's own files", async () => {
    expect(await inForce()).toEqual(both({ memoryBytes: 512 * MiB, cpus: 0.5, pids: 300 }));
    const said = await berth("resize", user, "--memory", "1G", "--cpus", "0.75", "--pids", "400");
    expect(ok(said)).toBe(`${user}/default: memory 512M -> 1G, cpus 0.5 -> 0.75, pids 300 -> 400`);
    expect(await inForce()).toEqual(both({ memoryBytes: GiB, cpus: 0.75, pids: 400 }));
    const limits = { memoryBytes: GiB, cpus: 0.75, pids: 400, diskBytes: GiB };
    expect(await shown()).toEqual({ ...made, limits });
  });

  it("lets some shrink while others grow", async () => {
    const words = ["--memory", "768M", "--cpus", "0.25", "--pids", "250"];
    const resized = sandbox.parse(await berthJson("resize", user, ...words));
    expect(resized.limits).toEqual({
      ...made.limits,
      memoryBytes: 768 * MiB,
      cpus: 0.25,
      pids: 250,
    });
    expect(await inForce()).toEqual(both({ memoryBytes: 768 * MiB, cpus: 0.25, pids: 250 }));
    ok(await berth("resize", user, "--memory", "400M"));
    expect(await inForce()).toEqual(both({ memoryBytes: 400 * MiB, cpus: 0.25, pids: 250 }));
  });

  it("leaves the user's other sandbox what it has, and the slice holds both", async () => {
    await create(user, "--name", "other", "--memory", "256M", "--cpus", "0.25", "--pids", "200");
    ok(await berth("resize", user, "--memory", "640M"));
    const { slice, container } = await inForce();
    expect(container).toEqual({ memoryBytes: 640 * MiB, cpus: 0.5, pids: 300 });
    expect(slice).toEqual({ memoryBytes: 896 * MiB, cpus: 0.75, pids: 500 });
  });

  it("refuses less memory than is used, says how much that is, and obeys once it is not", async () => {
    const fill = "dd if=/dev/zero of=/fill/zeros bs=1M count=250 && exec sleep 600";
    const tmpfs = ["run", "-d", "--name", "filler", "--tmpfs", "/fill", "box", "sh", "-c", fill];
    await client.docker(...tmpfs);
    const used = async () => {
      const told = (await berthJson("show", made.id)) as { usage: unknown };
      return usage.parse(told.usage).memory.usedBytes;
    };
    await expect.poll(used, { timeout: patience(20_000) }).toBeGreaterThan(250 * MiB);
    const said = await berth("resize", user, "--memory", "250M", "--json");
    expect(said.code).toBe(1);
    expect(JSON.parse(said.stdout)).toMatchObject({ error: { code: "LIMIT_OUT_OF_RANGE" } });
    expect(said.stderr).toMatch(
      /memory 250M is less than the \d+M in use now; stop some containers/,
    );
    expect(await inForce()).toEqual(both({ memoryBytes: 512 * MiB, cpus: 0.5, pids: 300 }));
    expect((await shown()).limits).toEqual(made.limits);

    await client.docker("rm", "-f", "filler");
    ok(await berth("resize", user, "--memory", "300M"));
    expect((await inForce()).container.memoryBytes).toBe(300 * MiB);
  });

  it("makes the disk larger for what is inside, or says before it changes anything why it cannot", async () => {
    const small = await diskInside();
    expect(small).toBeGreaterThan(0.85 * GiB);
    expect(small).toBeLessThan(GiB);
    const said = await berth("resize", user, "--disk", "2G", "--memory", "640M", "--json");
    if (await mayGrow()) {
      expect(sandbox.parse(JSON.parse(ok(said))).limits.diskBytes).toBe(2 * GiB);
      expect(await diskInside()).toBeGreaterThan(1.85 * GiB);
      expect((await inForce()).container.memoryBytes).toBe(640 * MiB);
    } else {
      expect(said.code).toBe(1);
      expect(JSON.parse(said.stdout)).toMatchObject({ error: { code: "DISK_FAILED" } });
      expect(said.stderr).toContain("CAP_SYS_RESOURCE");
      expect(await diskInside()).toBe(small);
      expect(await shown()).toEqual(made);
      expect(await inForce()).toEqual(both({ memoryBytes: 512 * MiB, cpus: 0.5, pids: 300 }));
    }
    const smaller = await berth("resize", user, "--disk", "512M");
    expect(smaller.code).toBe(1);
    expect(smaller.stderr).toMatch(/a disk only grows.*\(LIMIT_OUT_OF_RANGE\)/);
  });

  it("holds after the daemon was restarted, which sets right what was changed by hand", async () => {
    ok(await berth("resize", user, "--memory", "640M", "--pids", "350"));
    ok(await onHost(`docker update --pids-limit 999 berth-${made.id}`));
    ok(await onHost("systemctl restart berth"));
    await daemonAnswers();
    const wanted = both({ memoryBytes: 640 * MiB, cpus: 0.5, pids: 350 });
    await expect.poll(inForce, { timeout: patience(10_000) }).toEqual(wanted);
  });

  it.each([0, 5, 15, 40, 100])(
    "leaves record, slice and container agreeing when the daemon is killed %i ms into it",
    async (ms) => {
      const api = await rootApi();
      const pid = "pid=$(systemctl show --property MainPID --value berth)";
      const trap = await armed("kill -KILL $pid", pid);
      const limits = { memory: "640M", cpus: "0.25", pids: "350" };
      // It may well be done, or not have begun, when the daemon dies.
      const resizing = api.resize(made.id, limits).catch(() => undefined);
      await delay(ms);
      ok(await trap.fire());
      await resizing;
      await api.close();
      await daemonAnswers();
      const { memoryBytes, cpus, pids } = (await shown()).limits;
      const wanted = both({ memoryBytes, cpus, pids });
      await expect.poll(inForce, { timeout: patience(10_000) }).toEqual(wanted);
      // What was broken off can be asked for again.
      ok(await berth("resize", user, "--memory", "640M", "--cpus", "0.25", "--pids", "350"));
      const asked = { memoryBytes: 640 * MiB, cpus: 0.25, pids: 350 };
      expect(await inForce()).toEqual(both(asked));
    },
  );
});

describe("a resized sandbox", () => {
  it("has its new limits when it comes back after its container died", async () => {
    ok(await berth("resize", user, "--memory", "640M", "--cpus", "0.25"));
    ok(await onHost(`docker kill berth-${made.id}`));
    const outer = async () =>
      (await onHost(`docker inspect -f '{{.State.StartedAt}}' berth-${made.id}`)).stdout;
    await expect
      .poll(async () => running.startsWith(await outer()), { timeout: patience(30_000) })
      .toBe(false);
    await expect
      .poll(async () => (await shown()).state, { timeout: patience(30_000) })
      .toBe("ready");
    expect(await inForce()).toEqual(both({ memoryBytes: 640 * MiB, cpus: 0.25, pids: 300 }));
  });

  it("cannot be resized before it is ready", async () => {
    const api = await rootApi();
    const begun = await api.create({ user, name: "slow" });
    const early = api.resize(begun.id, { memory: "640M" });
    await expect(early).rejects.toMatchObject({ code: "SANDBOX_NOT_READY" });
    await api.remove(begun.id);
    await api.close();
  });
});
