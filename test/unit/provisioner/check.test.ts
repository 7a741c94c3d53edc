import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TestBerth } from "../../fakes/berth.js";
import { calmCounters } from "../../fakes/host.js";

let berth: TestBerth;
beforeEach(async () => {
  berth = await TestBerth.start();
});
afterEach(async () => {
  await berth.stop();
});

const fault = { name: "firewall", ok: false, detail: "its chain berth forward is missing" };

describe("the self-test of a start", () => {
  it("lets no sandbox become ready that is not held, and leaves nothing of it", async () => {
    berth.host.checks.push(fault);
    await expect(berth.create("ann")).rejects.toMatchObject({
      code: "ISOLATION_NOT_HELD",
      message: expect.stringContaining("firewall: its chain berth forward is missing") as string,
    });
    expect(await berth.leftovers()).toEqual([]);
  });

  it("reads the container's own limits", async () => {
    const { id } = await berth.create("ann");
    const counters = calmCounters();
    berth.host.counters.set(id, counters);
    counters.pids.limit = Infinity;
    const [limits] = (await berth.provisioner.verify(id)).checks;
    expect(limits).toMatchObject({ name: "limits", ok: false });
  });

  it("holds a sandbox that comes back to the same", async () => {
    const { id } = await berth.create("ann");
    berth.host.reboot();
    berth.host.checks.push(fault);
    await berth.restart();
    await berth.provisioner.start();
    expect(berth.provisioner.get(id)).toMatchObject({
      state: "failed",
      reason: expect.stringContaining("is not held") as string,
    });
  });
});

describe("verify", () => {
  it("tells what was seen from the host and from inside", async () => {
    const { id } = await berth.create("ann");
    expect(await berth.provisioner.verify(id)).toEqual({
      ok: true,
      checks: [
        {
          name: "limits",
          ok: true,
          detail: "1 GiB memory, 512 pids in its cgroup",
          seenFrom: "host",
        },
        { name: "uids", ok: true, detail: "all its own", seenFrom: "host" },
        { name: "uids", ok: true, detail: "all its own", seenFrom: "inside" },
      ],
    });
    berth.host.checks.push(fault);
    expect((await berth.provisioner.verify(id)).ok).toBe(false);
  });

  it("looks at none that is not ready", async () => {
    const { id } = await berth.create("ann");
    await berth.records.update(id, { state: "stopped" });
    await expect(berth.provisioner.verify(id)).rejects.toMatchObject({
      code: "SANDBOX_NOT_READY",
    });
  });
});
