import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TestBerth } from "../../fakes/berth.js";

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
