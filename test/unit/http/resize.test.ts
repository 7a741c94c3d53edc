import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sandbox } from "../../../src/lib/contract/sandbox.js";
import { problemIn, TestApi } from "./support.js";

let api: TestApi;
let token: string;
beforeEach(async () => {
  api = await TestApi.start();
  token = await api.token("ann");
});
afterEach(() => api.stop());

describe("resizing, over the API", () => {
  const GiB = 1024 ** 3;
  const path = (id: string) => `/v1/sandboxes/${id}/resize`;

  it("answers with the sandbox as it is then, to its owner and to admins", async () => {
    const { id, limits } = await api.berth.create("ann");
    const json = { memory: "2G", cpus: 2, disk: "20G" };
    const answer = await api.fetch(path(id), { token, json });
    expect(answer.status).toBe(200);
    const wanted = { ...limits, memoryBytes: 2 * GiB, cpus: 2, diskBytes: 20 * GiB };
    expect(sandbox.parse(await answer.json())).toMatchObject({ id, limits: wanted });
    const admin = await api.token("boss", "admin");
    const less = await api.fetch(path(id), { token: admin, json: { cpus: "0.5" } });
    expect(sandbox.parse(await less.json()).limits).toEqual({ ...wanted, cpus: 0.5 });
  });

  it("is not for others, to whom the sandbox is not there", async () => {
    const { id, limits } = await api.berth.create("ann");
    const other = await api.token("bob");
    const problem = await problemIn(
      await api.fetch(path(id), { token: other, json: { memory: "2G" } }),
    );
    expect(problem).toMatchObject({ status: 404, code: "SANDBOX_NOT_FOUND" });
    expect(api.berth.provisioner.get(id).limits).toEqual(limits);
  });

  it.each<[unknown, string, RegExp]>([
    [undefined, "INVALID_REQUEST", /names no limit; give at least one/],
    [{}, "INVALID_REQUEST", /names no limit/],
    [{ memroy: "1G" }, "INVALID_REQUEST", /memroy: unknown key, did you mean "memory"/],
    [{ ttl: "1h" }, "INVALID_REQUEST", /ttl: unknown key/],
    [{ memory: "1Q" }, "INVALID_REQUEST", /"1Q" is no size/],
    [{ pids: 0 }, "INVALID_REQUEST", /pids/],
    [{ memory: "1T" }, "LIMIT_OUT_OF_RANGE", /memory 1 TiB is out of range/],
    [{ disk: "1G" }, "LIMIT_OUT_OF_RANGE", /a disk only grows/],
  ])("refuses %j", async (json, code, text) => {
    const { id, limits } = await api.berth.create("ann");
    const method = "POST";
    const problem = await problemIn(await api.fetch(path(id), { token, method, json }));
    expect(problem).toMatchObject({ status: 400, code });
    expect(problem.detail).toMatch(text);
    expect(api.berth.provisioner.get(id).limits).toEqual(limits);
  });

  it("is refused with 409 while the sandbox is stopped", async () => {
    const { id } = await api.berth.create("ann");
    await api.berth.records.update(id, { state: "stopped", reason: "its container stopped" });
    const problem = await problemIn(await api.fetch(path(id), { token, json: { cpus: 2 } }));
    expect(problem).toMatchObject({ status: 409, code: "SANDBOX_NOT_READY" });
  });
});
