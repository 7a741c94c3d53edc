import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  berth,
  create,
  isOurs,
  kernelLimits,
  ok,
  onHost,
  patience,
  show,
  traces,
} from "./support.js";

let before: string[];
beforeEach(async () => {
  before = await traces();
});
afterEach(async () => {
  await berth("user", "remove", "e2e-cat.s_1-x");
  expect(await traces()).toEqual(before);
});

const user = "e2e-cat.s_1-x";
const slice = "berth-e2e\\x2dcat.s_1\\x2dx.slice";
const MiB = 1024 ** 2;

const sliceLimits = () => kernelLimits(`berth.slice/${slice}`);

describe("a user's slice", () => {
  it("holds the limits that were asked for, in the kernel's own files", async () => {
    const made = await create(user, "--memory", "768M", "--cpus", "0.75", "--pids", "300");
    expect(made.slice).toBe(slice);
    expect(await sliceLimits()).toEqual({ memoryBytes: 768 * MiB, cpus: 0.75, pids: 300 });
  });

  it("grows with a second sandbox of the user and shrinks when it goes", async () => {
    await create(user, "--name", "one", "--memory", "512M", "--cpus", "0.5", "--pids", "200");
    await create(user, "--name", "two", "--memory", "256M", "--cpus", "0.25", "--pids", "100");
    expect(await sliceLimits()).toEqual({ memoryBytes: 768 * MiB, cpus: 0.75, pids: 300 });
    ok(await berth("remove", `${user}/two`));
    expect(await sliceLimits()).toEqual({ memoryBytes: 512 * MiB, cpus: 0.5, pids: 200 });
  });

  it("holds every process of the sandbox, and each prefers to be killed before the host's", async () => {
    await create(user);
    const scores = ok(
      await onHost(`
        for p in /proc/[0-9]*; do
          grep -qF '${slice}' "$p/cgroup" 2>/dev/null || continue
          echo "$(cat "$p/comm") $(cat "$p/oom_score_adj")"
        done`),
    ).split("\n");
    const names = scores.map((line) => line.split(" ")[0]);
    expect(names).toEqual(expect.arrayContaining(["dockerd", "containerd", "tini"]));
    for (const line of scores) expect(Number(line.split(" ")[1]), line).toBeGreaterThanOrEqual(500);
  });

  it("is read back: limits changed behind Berth's back are set right at the daemon's next start", async () => {
    await create(user, "--pids", "300");
    ok(await onHost(`systemctl set-property --runtime '${slice}' TasksMax=999`));
    expect((await sliceLimits()).pids).toBe(999);
    ok(await onHost("systemctl restart berth"));
    await expect
      .poll(async () => (await sliceLimits()).pids, { timeout: patience(10_000) })
      .toBe(300);
  });

  it("keeps its limits through systemctl daemon-reload, and has them again after the engine's restart", async (test) => {
    if (!isOurs()) test.skip("a real machine's engine is not restarted");
    const { id } = await create(user, "--memory", "640M", "--cpus", "0.5", "--pids", "222");
    const container = ok(await onHost(`docker inspect -f '{{.Id}}' berth-${id}`));
    const limits = () =>
      Promise.all([sliceLimits(), kernelLimits(`berth.slice/${slice}/docker-${container}.scope`)]);
    const asked = { memoryBytes: 640 * MiB, cpus: 0.5, pids: 222 };
    expect(await limits()).toEqual([asked, asked]);
    ok(await onHost("systemctl daemon-reload"));
    expect(await limits()).toEqual([asked, asked]);

    const pid = () => onHost(`docker inspect -f '{{.State.Pid}}' berth-${id}`);
    const before = await pid();
    ok(await onHost("systemctl restart docker"));
    const isBack = async () => {
      const { code, stdout } = await pid();
      if (code !== 0 || ["0", before.stdout].includes(stdout)) return false;
      return (await show(id)).state === "ready";
    };
    await expect.poll(isBack, { timeout: patience(60_000), interval: 200 }).toBe(true);
    expect(await limits()).toEqual([asked, asked]);
  });
});
