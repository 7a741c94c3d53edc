import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sandbox } from "../../../src/lib/contract/sandbox.js";
import { addedUser } from "../../../src/lib/contract/user.js";
import { problemIn, TestApi } from "./support.js";

let api: TestApi;
let token: string;
beforeEach(async () => {
  api = await TestApi.start();
  token = await api.token("ann");
});
afterEach(() => api.stop());

const names = () => api.berth.provisioner.list().map(({ name }) => name);

/** Fails unless `act` lets the daemon get as far as this. */
async function reaches<T>(call: string, act: () => Promise<T>, then: () => unknown): Promise<T> {
  const hang = api.berth.host.hangAt(call);
  const result = act();
  result.catch(() => undefined);
  await hang.reached;
  await then();
  hang.release();
  return result;
}

describe("a fault of our own", () => {
  it("is told without its inside, and logged whole", async () => {
    api.berth.host.failAt("engine.usage", new Error("secret of the inside"));
    const { id } = await api.berth.create("ann");
    const answer = await api.fetch(`/v1/sandboxes/${id}/usage`, { token });
    const problem = await problemIn(answer);
    expect(problem).toMatchObject({ status: 500, code: "INTERNAL" });
    expect(JSON.stringify(problem)).not.toContain("secret");
    const logged = api.logged.join("");
    expect(logged).toContain("secret of the inside");
    expect(logged).toContain(`/v1/sandboxes/${id}/usage`);
    expect(logged).not.toContain(token);
  });
});

describe("a body", () => {
  const post = (body: string | undefined, headers: Record<string, string> = {}) =>
    api.fetch("/v1/sandboxes", { token, method: "POST", headers, ...(body ? { body } : {}) });

  it("may be left out where everything in it may be", async () => {
    expect((await post(undefined)).status).toBe(201);
    expect(names()).toEqual(["default"]);
  });

  it.each(["null", "[]", '"x"', "7", "true"])(
    "of %s is no request, and makes nothing",
    async (b) => {
      expect(await problemIn(await post(b))).toMatchObject({ code: "INVALID_REQUEST" });
      expect(await api.berth.leftovers()).toEqual([]);
    },
  );

  it("that does not unpack is the client's fault, not ours", async () => {
    const problem = await problemIn(await post("hello", { "content-encoding": "gzip" }));
    expect(problem).toMatchObject({ status: 400, code: "INVALID_REQUEST" });
    expect(api.logged).toEqual([]);
  });

  it("is not read from those who have no token", async () => {
    const body = "x".repeat(70_000);
    const answer = await api.fetch("/v1/sandboxes", { method: "POST", body });
    expect((await problemIn(answer)).code).toBe("UNAUTHENTICATED");
  });
});

describe("a path that does not decode", () => {
  it("is the client's fault, not ours", async () => {
    const problem = await problemIn(await api.fetch("/v1/sandboxes/%E0%A4%A", { token }));
    expect(problem).toMatchObject({ status: 400, code: "INVALID_REQUEST" });
    expect(api.logged).toEqual([]);
  });
});

describe("a client that hangs up", () => {
  it.each([
    "images.require",
    "door.takenPorts",
    "slices.ensure",
    "engine.start",
    "engine.waitReady",
  ])("at %s leaves nothing", async (call) => {
    const hangUp = new AbortController();
    const { signal } = hangUp;
    const brokenOff = new Promise<void>((resolve) => {
      api.berth.provisioner.events.onAny((_, { type, data }) => {
        if (type === "state" && data.problem?.code === "CREATE_CANCELLED") resolve();
      });
    });
    const gone = reaches(
      call,
      () => api.fetch("/v1/sandboxes", { token, json: {}, signal }),
      async () => {
        hangUp.abort();
        // A request that comes after it is answered after the server has seen it go.
        await api.fetch("/healthz");
      },
    );
    await expect(gone).rejects.toThrow();
    await brokenOff;
    expect(await api.berth.leftovers()).toEqual([]);
    expect(names()).toEqual([]);
  });

  it("may do so when it did not want to wait", async () => {
    const headers = { prefer: "respond-async" };
    const answer = await api.fetch("/v1/sandboxes", { token, json: {}, headers });
    const { id } = sandbox.parse(await answer.json());
    await expect.poll(() => api.berth.provisioner.get(id).state).toBe("ready");
  });
});

describe("root's word", () => {
  it("adds a user who was never added", async () => {
    const answer = await api.asRoot("/v1/sandboxes", { json: { user: "bob" } });
    expect(answer.status).toBe(201);
    expect(api.users.list()).toContainEqual(
      expect.objectContaining({ name: "bob", hasToken: false }),
    );
  });

  it.each([{ profile: "none" }, { ttl: "9999h" }, { memory: "1" }, { name: "A" }])(
    "adds nobody when the request is refused (%j)",
    async (request) => {
      const answer = await api.asRoot("/v1/sandboxes", { json: { user: "bob", ...request } });
      expect(answer.status).toBe(400);
      expect(api.users.list().map(({ name }) => name)).toEqual(["ann"]);
    },
  );

  it("is not an admin's: they make sandboxes for users there are", async () => {
    const admin = await api.token("boss", "admin");
    const json = { user: "bob" };
    const problem = await problemIn(await api.fetch("/v1/sandboxes", { token: admin, json }));
    expect(problem).toMatchObject({ status: 404, code: "USER_NOT_FOUND" });
    expect(await api.berth.leftovers()).toEqual([]);
  });

  it("needs a name to act for", async () => {
    const problem = await problemIn(await api.asRoot("/v1/sandboxes", { json: {} }));
    expect(problem).toMatchObject({ code: "INVALID_REQUEST", errors: [{ path: "user" }] });
  });
});

describe("removing a user", () => {
  it.each(["images.require", "door.takenPorts", "slices.ensure", "engine.start"])(
    "leaves nothing of a sandbox that was being made for them, at %s",
    async (call) => {
      let removed: Promise<Response> | undefined;
      const answer = await reaches(
        call,
        () => api.fetch("/v1/sandboxes", { token, json: {} }),
        async () => {
          removed = api.asRoot("/v1/users/ann", { method: "DELETE" });
          await expect.poll(() => api.users.has("ann")).toBe(false);
        },
      );
      expect((await removed)?.status).toBe(200);
      expect(["USER_NOT_FOUND", "CREATE_CANCELLED"]).toContain((await problemIn(answer)).code);
      expect(await api.berth.leftovers()).toEqual([]);
    },
  );
});

describe("what only those may see who are signed in", () => {
  it("is kept by no browser and no proxy", async () => {
    for (const path of ["/v1/me", "/v1/sandboxes", "/v1/users"]) {
      const answer = await api.fetch(path, { token });
      expect(answer.headers.get("cache-control"), path).toBe(
        answer.status === 200 ? "no-store" : null,
      );
    }
    expect((await api.asRoot("/v1/users")).headers.get("cache-control")).toBe("no-store");
  });
});

describe("failed attempts", () => {
  const guess = () => api.fetch("/v1/me", { token: "wrong" });

  it("are answered 429 after sixty in a minute, on every path that needs a token", async () => {
    for (let i = 0; i < 60; i++) expect((await guess()).status).toBe(401);
    const problem = await problemIn(await guess());
    expect(problem).toMatchObject({ status: 429, code: "RATE_LIMITED" });
    expect((await api.fetch("/v1/sandboxes", { json: {}, token: "worse" })).status).toBe(429);
    expect((await api.fetch("/healthz")).status).toBe(200);
    expect((await api.asRoot("/v1/me")).status).toBe(200);
  });

  it("shut nobody out who has a token, seen before or not", async () => {
    for (let i = 0; i < 61; i++) await guess();
    expect((await guess()).status).toBe(429);
    expect((await api.fetch("/v1/me", { token })).status).toBe(200);
    expect((await api.fetch("/v1/session", { json: { token } })).status).toBe(200);
  });

  it("with the public part of a token count by that, and not once it was seen whole", async () => {
    const altered = `${token.slice(0, -5)}AAAAA`;
    const bob = await api.token("bob");
    for (let i = 0; i < 60; i++) await api.fetch("/v1/me", { token: altered });
    expect((await api.fetch("/v1/me", { token: altered })).status).toBe(429);
    expect((await guess()).status).toBe(401);
    expect((await api.fetch("/v1/me", { token: bob })).status).toBe(200);
  });

  it("are not what names nobody: each browser does it that opens the page", async () => {
    for (let i = 0; i < 70; i++) expect((await api.fetch("/v1/session")).status).toBe(200);
    for (let i = 0; i < 70; i++) expect((await api.fetch("/v1/me")).status).toBe(401);
    expect((await guess()).status).toBe(401);
  });

  it("do not count those who have a token, however many streams they keep open", async () => {
    const { id } = await api.berth.create("ann");
    // The first costs a scrypt; after it the token is known.
    expect((await api.fetch("/v1/me", { token })).status).toBe(200);
    const done = new AbortController();
    const { signal } = done;
    const streams = await Promise.all(
      Array.from({ length: 80 }, () => api.fetch(`/v1/sandboxes/${id}/events`, { token, signal })),
    );
    expect(new Set(streams.map(({ status }) => status))).toEqual(new Set([200]));
    expect((await guess()).status).toBe(401);
    done.abort();
  });

  it("do not count what is refused for other reasons", async () => {
    for (let i = 0; i < 70; i++) expect((await api.fetch("/v1/users", { token })).status).toBe(403);
    expect((await api.fetch("/v1/me", { token })).status).toBe(200);
  });
});

describe("the events of a sandbox", () => {
  it("end with the first end, also when a broken-off unwinding was finished later", async () => {
    const { host, provisioner } = api.berth;
    host.failAt("engine.start");
    host.failAt("engine.remove");
    const async202 = { token, json: {}, headers: { Prefer: "respond-async" } };
    const { id } = (await (await api.fetch("/v1/sandboxes", async202)).json()) as { id: string };
    await provisioner.cancel(id, "the test waits for its end");
    host.heal();
    await provisioner.reap({ dryRun: false });
    // Writing on after the end would be an uncaught error, which ends a daemon.
    const story = await (await api.fetch(`/v1/sandboxes/${id}/events`, { token })).text();
    expect(story).toContain('"state":"failed"');
    expect(story).not.toContain('"state":"removed"');
  });

  it("can be asked for by HEAD, which does not wait for their end", async () => {
    const { id } = await api.berth.create("ann");
    const path = `/v1/sandboxes/${id}/events`;
    const answer = await api.fetch(path, { token, method: "HEAD" });
    expect(answer.headers.get("content-type")).toContain("text/event-stream");
    expect(await answer.text()).toBe("");
  });

  it("tell of a creation that failed to its owner and to admins, and to nobody else", async () => {
    api.berth.host.failAt("engine.start");
    const headers = { prefer: "respond-async" };
    const begun = await api.fetch("/v1/sandboxes", { token, json: {}, headers });
    const { id } = sandbox.parse(await begun.json());
    const path = `/v1/sandboxes/${id}/events`;
    const story = await (await api.fetch(path, { token })).text();
    expect(story).toMatch(
      /event: state\ndata: \{"state":"failed","problem":\{"code":"ENGINE_FAILED"/,
    );
    expect(await (await api.asRoot(path)).text()).toBe(story);
    const other = await api.token("bob");
    expect((await api.fetch(path, { token: other })).status).toBe(404);
    expect((await api.fetch(`/v1/sandboxes/${id}`, { token })).status).toBe(404);
  });
});

describe("a creation that meets a fault of our own", () => {
  it("tells its waiter and its followers nothing of the inside", async () => {
    api.berth.host.failAt("engine.start", new TypeError("secret of the inside"));
    const answer = await api.fetch("/v1/sandboxes", { token, json: {} });
    const { location } = Object.fromEntries(answer.headers);
    const problem = await problemIn(answer);
    expect(problem.code).toBe("INTERNAL");
    const story = await (await api.fetch(`${location ?? ""}/events`, { token })).text();
    expect(story).toContain('"code":"INTERNAL"');
    for (const told of [story, JSON.stringify(problem)]) expect(told).not.toContain("secret");
    expect(api.logged.join("")).toContain("secret of the inside");
    expect(await api.berth.leftovers()).toEqual([]);
  });
});

describe("users, over the API", () => {
  it("are added with a token that works at once, for admins only", async () => {
    const added = await api.asRoot("/v1/users", { json: { name: "bob", role: "admin" } });
    expect(added.headers.get("cache-control")).toBe("no-store");
    const bob = addedUser.parse(await added.json());
    expect((await api.fetch("/v1/users", { token: bob.token })).status).toBe(200);
    expect((await api.fetch("/v1/users", { token })).status).toBe(403);
    const twice = await api.asRoot("/v1/users", { json: { name: "bob" } });
    expect(await problemIn(twice)).toMatchObject({ status: 409, code: "USER_EXISTS" });
  });

  it.each(["a/b", "..", "A", "", "x".repeat(33), "<script>"])(
    "are never named %j",
    async (name) => {
      const problem = await problemIn(await api.asRoot("/v1/users", { json: { name } }));
      expect(problem).toMatchObject({ status: 400, code: "INVALID_REQUEST" });
      expect(api.users.list()).toHaveLength(1);
    },
  );
});
