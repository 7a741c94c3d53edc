import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { incidentEvent, sandbox, sandboxList, usage } from "../../../src/lib/contract/sandbox.js";
import { TestApi } from "./support.js";

let api: TestApi;
let token: string;
beforeEach(async () => {
  api = await TestApi.start();
  token = await api.token("ann");
});
afterEach(() => api.stop());

describe("what a limit did to a sandbox", () => {
  it("is told in the sandbox, in the list and on its stream, and counted for Prometheus", async () => {
    const { id } = await api.berth.create("ann");
    const { incidents } = api.berth.provisioner;
    const shown = async () => {
      const one = sandbox.parse(await (await api.fetch(`/v1/sandboxes/${id}`, { token })).json());
      const list = sandboxList.parse(await (await api.fetch("/v1/sandboxes", { token })).json());
      expect(list.sandboxes).toEqual([one]);
      return one.incidents;
    };
    expect(await shown()).toEqual([]);
    const crowd = { kind: "pids", limit: "sandbox" } as const;
    incidents.add(id, crowd);
    api.berth.later(60_000);
    incidents.add(id, crowd);
    const told = await shown();
    expect(told).toMatchObject([{ kind: "pids", count: 2 }]);

    const stream = api.fetch(`/v1/sandboxes/${id}/events`, { token });
    await api.berth.provisioner.remove(id);
    const story = (await (await stream).text()).split("\n");
    const lines = story.filter((_, i) => story[i - 1] === "event: incident");
    const events = lines.map((line) => incidentEvent.parse(JSON.parse(line.slice(6))));
    expect(events).toMatchObject([{ kind: "pids", text: told[0]?.text, count: 1 }]);
    const metrics = await (await api.fetch("/metrics")).text();
    expect(metrics).toContain('berth_incidents_total{kind="pids"} 1');
    expect(metrics).toContain('berth_incidents_total{kind="memory"} 0');
  });

  it("is nobody else's to read", async () => {
    const { id } = await api.berth.create("ann");
    const other = await api.token("bob");
    expect((await api.fetch(`/v1/sandboxes/${id}`, { token: other })).status).toBe(404);
    const usage = await api.fetch(`/v1/sandboxes/${id}/usage`, { token: other });
    expect(usage.status).toBe(404);
  });
});

describe("the usage of a sandbox", () => {
  it("is whole before the first look at it", async () => {
    const { id } = await api.berth.create("ann");
    const answer = await api.fetch(`/v1/sandboxes/${id}/usage`, { token });
    expect(usage.strict().parse(await answer.json())).toMatchObject({
      memory: { kills: 0 },
      cpu: { throttledPercent: 0 },
      pids: { limitHits: 0 },
      disk: { usedBytes: 1024 ** 2, freeBytes: 1024 ** 3, freeInodes: 100_000 },
    });
  });
});
