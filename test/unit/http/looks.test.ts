import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { certificateList, containerList, usageHistory } from "../../../src/lib/contract/looks.js";
import { sandbox, sandboxList, usage } from "../../../src/lib/contract/sandbox.js";
import { calmCounters } from "../../fakes/host.js";
import { problemIn, TestApi } from "./support.js";

const MiB = 1024 ** 2;
let api: TestApi;
let token: string;
let id: string;
beforeEach(async () => {
  api = await TestApi.start();
  token = await api.token("ann");
  ({ id } = await api.berth.create("ann"));
});
afterEach(() => api.stop());

const ask = (path: string) => api.fetch(`/v1/sandboxes/${id}/${path}`, { token });

/** A look at all sandboxes, five seconds after the last. */
async function look(cpuSeconds: number): Promise<void> {
  api.berth.later(5_000);
  const calm = calmCounters();
  const cpu = { ...calm.cpu, usedSeconds: cpuSeconds };
  api.berth.host.counters.set(id, { ...calm, cpu });
  await api.berth.provisioner.lookNow();
}

const history = async () => usageHistory.strict().parse(await (await ask("usage/history")).json());

describe("the usage of the last minutes", () => {
  it("is empty before the first look, and then tells each, oldest first", async () => {
    expect(await history()).toEqual({ intervalMs: 5_000, samples: [] });
    await look(2);
    await look(7);
    const { samples } = await history();
    const same = { memoryBytes: 50 * MiB, pids: 40, diskBytes: MiB };
    expect(samples).toEqual([
      { at: "2026-01-01T12:00:05.000Z", ...same },
      { at: "2026-01-01T12:00:10.000Z", ...same, cpuCores: 1 },
    ]);
  });

  it("goes back ten minutes, however long the sandbox lives", async () => {
    for (let i = 0; i < 130; i++) await look(i);
    const { samples } = await history();
    expect(samples).toHaveLength(120);
    expect(samples[0]?.at).toBe("2026-01-01T12:00:55.000Z");
    expect(samples.at(-1)?.at).toBe("2026-01-01T12:10:50.000Z");
    expect(new Set(samples.map(({ cpuCores }) => cpuCores))).toEqual(new Set([0.2]));
  });

  it("leaves out what could not be read, and what a start anew makes no sense of", async () => {
    await look(100);
    api.berth.host.failAt("disks.space");
    await look(1);
    const last = (await history()).samples.at(-1);
    expect(last).toEqual({ at: "2026-01-01T12:00:10.000Z", memoryBytes: 50 * MiB, pids: 40 });
  });

  it("is forgotten with the sandbox", async () => {
    await look(1);
    await api.berth.provisioner.remove(id);
    await api.berth.provisioner.lookNow();
    expect((await ask("usage/history")).status).toBe(404);
    expect(api.berth.provisioner.looks.history(id).samples).toEqual([]);
  });

  it("stands beside each sandbox of the list, without a question to the engine", async () => {
    const list = async (query: string) =>
      sandboxList.parse(await (await api.fetch(`/v1/sandboxes${query}`, { token })).json())
        .sandboxes[0];
    expect((await list("?usage=true"))?.usage).toBeUndefined();
    await look(3);
    const before = api.berth.host.calls.length;
    expect((await list("?usage=true"))?.usage).toEqual({
      at: "2026-01-01T12:00:05.000Z",
      memory: { usedBytes: 50 * MiB, limitBytes: 1024 * MiB, kills: 0 },
      cpu: { usedSeconds: 3, limitCpus: 1.5, throttledPercent: 0 },
      pids: { used: 40, limit: 512, limitHits: 0 },
      disk: {
        usedBytes: MiB,
        limitBytes: 10 * 1024 * MiB,
        freeBytes: 1024 * MiB,
        freeInodes: 100_000,
      },
    });
    expect(api.berth.host.calls.slice(before)).toEqual([]);
    expect((await list(""))?.usage).toBeUndefined();
    expect(usage.strict().safeParse((await list("?usage=true"))?.usage).success).toBe(true);
    expect((await api.fetch("/v1/sandboxes?usage=yes", { token })).status).toBe(400);
  });
});

describe("the containers of a sandbox", () => {
  it("are those that its engine tells, asked once for all who ask at a time", async () => {
    api.berth.host.inner = [{ name: "web", image: "nginx:1", state: "running", ports: [] }];
    const hang = api.berth.host.hangAt("probe.containers");
    const first = ask("containers");
    await hang.reached;
    const second = ask("containers");
    // What is asked after it is answered when the second is under way.
    await ask("usage/history");
    hang.release();
    for (const answer of await Promise.all([first, second]))
      expect(containerList.strict().parse(await answer.json())).toEqual({
        containers: api.berth.host.inner,
      });
    expect(api.berth.host.calls.filter((call) => call === "probe.containers")).toHaveLength(1);
  });

  it("are not told of one that is not ready, nor when its engine says nothing", async () => {
    api.berth.host.failAt("probe.containers");
    expect((await problemIn(await ask("containers"))).code).toBe("ENGINE_FAILED");
    await api.berth.records.update(id, { state: "stopped" });
    expect((await problemIn(await ask("containers"))).code).toBe("SANDBOX_NOT_READY");
  });
});

describe("the certificates of a sandbox", () => {
  const certificates = async () =>
    certificateList.strict().parse(await (await ask("certificates")).json()).certificates;

  it("are those of its bundles that are still good, newest first", async () => {
    expect(await certificates()).toEqual([]);
    await (await ask("bundle")).arrayBuffer();
    api.berth.later(60_000);
    await (await ask("bundle")).arrayBuffer();
    const { expiresAt } = api.berth.provisioner.get(id);
    expect(await certificates()).toEqual([
      { issuedAt: "2026-01-01T12:01:00.000Z", expiresAt },
      { issuedAt: "2026-01-01T12:00:00.000Z", expiresAt },
    ]);
    api.berth.later(24 * 3_600_000);
    expect(await certificates()).toEqual([]);
  });

  it("are known after a restart, but for a damaged file, and gone with the sandbox", async () => {
    await (await ask("bundle")).arrayBuffer();
    const before = await certificates();
    await api.restart();
    expect(before).toHaveLength(1);
    expect(await certificates()).toEqual(before);
    const file = join(api.berth.records.directory(id), "client-certificates.json");
    expect(await readFile(file, "utf8")).not.toMatch(/KEY|CERTIFICATE|BEGIN/);
    await writeFile(file, "{");
    await api.restart();
    expect(await certificates()).toEqual([]);
    await (await ask("bundle")).arrayBuffer();
    await api.berth.provisioner.remove(id);
    expect(await api.berth.leftovers()).toEqual([]);
  });
});

describe("what is seen of a sandbox", () => {
  it.each(["usage/history", "containers", "certificates"])(
    "is nobody else's to see (%s)",
    async (path) => {
      const other = await api.token("bob");
      const answer = await api.fetch(`/v1/sandboxes/${id}/${path}`, { token: other });
      expect(await problemIn(answer)).toMatchObject({ status: 404, code: "SANDBOX_NOT_FOUND" });
    },
  );

  it("tells how far it can be extended from now", async () => {
    const shown = async () =>
      sandbox.parse(await (await api.fetch(`/v1/sandboxes/${id}`, { token })).json());
    expect((await shown()).maxTtlMs).toBe(7 * 24 * 3_600_000);
  });
});
