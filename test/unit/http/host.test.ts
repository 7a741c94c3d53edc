import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { host, hostEventList, imageList, profileList } from "../../../src/lib/contract/host.js";
import { problemIn, TestApi } from "./support.js";

const GiB = 1024 ** 3;
let api: TestApi;
let admin: string;
beforeEach(async () => {
  api = await TestApi.start();
  admin = await api.token("boss", "admin");
});
afterEach(() => api.stop());

const get = async (path: string) => (await api.fetch(path, { token: admin })).json();
const events = async (query = "") =>
  hostEventList.strict().parse(await get(`/v1/events${query}`)).events;

describe("what is told of the host", () => {
  it.each(["/v1/host", "/v1/events", "/v1/events/stream", "/v1/images", "/v1/profiles"])(
    "is for admins only (%s)",
    async (path) => {
      const token = await api.token("ann");
      expect((await problemIn(await api.fetch(path, { token }))).code).toBe("FORBIDDEN");
      expect((await api.fetch(path)).status).toBe(401);
    },
  );

  it("is what it has, uses and has promised", async () => {
    await api.berth.create("ann");
    await api.berth.create("bob", { memory: 2 * GiB, cpus: 0.5 });
    const told = host.strict().parse(await get("/v1/host"));
    expect(told).toMatchObject({
      memory: { promisedBytes: 3 * GiB },
      cpu: { promisedCores: 2 },
      disk: { promisedBytes: 20 * GiB },
      sandboxes: 2,
      states: { ready: 2, creating: 0 },
      users: 1,
      version: "1.2.3",
    });
    expect(told.memory.usedBytes).toBeGreaterThan(0);
    expect(told.memory.usedBytes).toBeLessThan(told.memory.totalBytes);
    expect(told.cpu.usedCores).toBeLessThanOrEqual(told.cpu.cores);
    expect(told.disk.usedBytes).toBeLessThan(told.disk.totalBytes);
  });

  it("has the images and the profiles", async () => {
    const image = {
      tag: "berth/dind:1",
      id: "sha256:1",
      sizeBytes: 5,
      createdAt: "2026-01-01T12:00:00.000Z",
      current: true,
      inUse: false,
      images: ["postgres:17"],
    };
    api.images = [image];
    api.building = [
      { profile: "db", phase: "collect", message: "postgres:17", startedAt: image.createdAt },
    ];
    expect(imageList.strict().parse(await get("/v1/images"))).toEqual({
      images: [image],
      building: api.building,
    });
    const { profiles } = profileList.strict().parse(await get("/v1/profiles"));
    expect(profiles.slice(0, 1)).toEqual([
      {
        name: "default",
        description: "",
        isolation: "userns",
        ttlMs: 24 * 3_600_000,
        limits: { memoryBytes: GiB, cpus: 1.5, pids: 512, diskBytes: 10 * GiB },
        images: [],
        ready: true,
      },
    ]);
  });

  it("says of a profile that its images are not built yet, to its users as well", async () => {
    api.unbuilt = () => Promise.resolve(["shell"]);
    const readiness = async (path: string) => {
      const { profiles } = profileList.parse(await get(path));
      return profiles.filter(({ ready }) => !ready).map(({ name }) => name);
    };
    for (const path of ["/v1/profiles", "/v1/me"]) expect(await readiness(path)).toEqual(["shell"]);
    // Nobody waits for an engine that is away or mute.
    api.unbuilt = () => Promise.reject(new Error("no engine"));
    expect(await readiness("/v1/me")).toEqual([]);
    api.unbuilt = () => new Promise(() => undefined);
    expect(await readiness("/v1/me")).toEqual([]);
  });
});

describe("the last events of all sandboxes", () => {
  it("are told newest first, with whose they are, also when the sandbox is gone", async () => {
    const { id } = await api.berth.create("ann", { name: "lab" });
    api.berth.provisioner.incidents.add(id, { kind: "pids", limit: "sandbox" });
    await api.berth.provisioner.remove(id);
    const told = await events();
    expect(told.map(({ type, data }) => [type, data["state"] ?? data["kind"]])).toEqual([
      ["state", "removed"],
      ["state", "removing"],
      ["incident", "pids"],
      ["state", "ready"],
      ["state", "creating"],
    ]);
    for (const event of told)
      expect(event).toMatchObject({ sandbox: id, user: "ann", name: "lab" });
    expect(told.map(({ text }) => text)).toEqual(
      expect.arrayContaining(["is removed", "is creating"]),
    );
    expect(await events("?limit=1")).toEqual(told.slice(0, 1));
  });

  it("tell of a creation that failed at which step, and why", async () => {
    api.berth.host.failAt("engine.start");
    await expect(api.berth.create("ann")).rejects.toThrow();
    const texts = (await events()).map(({ text }) => text);
    expect(texts).toContain("failed at the step start");
    expect(texts.join("\n")).toContain("is not created: engine.start failed");
  });

  it.each(["0", "501", "x", "-1", ""])("are not so many (limit=%s)", async (limit) => {
    const answer = await api.fetch(`/v1/events?limit=${limit}`, { token: admin });
    expect((await problemIn(answer)).code).toBe("INVALID_REQUEST");
  });

  it("are five hundred at most", async () => {
    const { id } = await api.berth.create("ann");
    for (let i = 0; i < 600; i++) api.berth.provisioner.events.state(id, { state: "ready", ms: i });
    const told = await events("?limit=500");
    expect(told).toHaveLength(500);
    expect(told[0]?.data).toMatchObject({ ms: 599 });
  });

  it("come as they happen, in the same words as in the list", async () => {
    const hangUp = new AbortController();
    const { signal } = hangUp;
    const answer = await api.fetch("/v1/events/stream", { token: admin, signal });
    expect(answer.headers.get("content-type")).toContain("text/event-stream");
    await api.berth.create("ann");
    let story = "";
    for await (const part of answer.body ?? []) {
      story += Buffer.from(part as Uint8Array).toString();
      if (story.includes('"state":"ready"')) break;
    }
    hangUp.abort();
    const told = story
      .split("\n")
      .filter((line) => line.startsWith("data: "))
      .map((line) => JSON.parse(line.slice(6)) as unknown);
    expect(told).toEqual((await events()).reverse());
  });
});

describe("with five hundred sandboxes", () => {
  it("the lists of admins take a moment", async () => {
    await api.stop();
    api = await TestApi.start({ ports: { user: "30000-39999" } });
    admin = await api.token("boss", "admin");
    const one = await api.berth.create("ann");
    for (let i = 0; i < 499; i++) {
      const id = `k${String(i).padStart(7, "0")}`;
      await api.berth.records.save({ ...one, id, user: `user${i}` });
      api.berth.host.containers.set(id, structuredClone(api.berth.host.containerOf(one.id)));
    }
    await api.berth.provisioner.lookNow();
    const begun = performance.now();
    const list = (await get("/v1/sandboxes?usage=true")) as { sandboxes: unknown[] };
    expect(list.sandboxes).toHaveLength(500);
    await get("/v1/host");
    await get("/v1/users");
    // Far above what it takes; a list that asked the engine, or summed for each, would be seconds.
    expect(performance.now() - begun).toBeLessThan(1_000);
  });
});
