import { X509Certificate } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { readEvents, type SandboxEvent } from "../../src/cli/events.js";
import { bundleFileNames, readBundleTar } from "../../src/lib/bundle-archive.js";
import {
  reapResult,
  sandbox,
  sandboxList,
  steps,
  usage,
  type Sandbox,
} from "../../src/lib/contract/sandbox.js";
import { addedUser, me } from "../../src/lib/contract/user.js";
import {
  addUser,
  ApiClient,
  berth,
  ok,
  onHost,
  patience,
  problemOf,
  run,
  traces,
} from "./support.js";

const hour = 3_600_000;
const user = "e2e-api";
const admin = "e2e-api-admin";
let before: string[];
let theirs: ApiClient;
let admins: ApiClient;
let nobody: ApiClient;

beforeAll(async () => {
  before = await traces();
  theirs = await addUser(user);
  admins = await addUser(admin, "--admin");
  nobody = new ApiClient(theirs.url);
});

afterAll(async () => {
  ok(await berth("user", "remove", user));
  ok(await berth("user", "remove", admin));
  expect(await traces()).toEqual(before);
});

/** Reads a sandbox's events up to the one that is asked for; without it, to the end of the stream. */
async function eventsOf(
  id: string,
  isLast: (event: SandboxEvent) => boolean = () => false,
): Promise<SandboxEvent[]> {
  const answer = await theirs.fetch(`/v1/sandboxes/${id}/events`);
  expect(answer.headers.get("content-type")).toMatch(/^text\/event-stream(;|$)/);
  if (!answer.body) throw new Error("no stream");
  const events: SandboxEvent[] = [];
  for await (const event of readEvents(answer.body)) {
    events.push(event);
    if (isLast(event)) break;
  }
  return events;
}

const isState = (state: string) => (event: SandboxEvent) =>
  event.event === "state" && event.state === state;

/** States and steps in the order in which they came. */
const outline = (events: SandboxEvent[]) =>
  events.map((event) => (event.event === "step" ? `${event.step} ${event.status}` : event.state));

/** Steps may run side by side, but each begins before it ends, and all between the first and last state. */
function expectWholeCreation(told: string[]): void {
  expect(told[0]).toBe("creating");
  expect(told.at(-1)).toBe("ready");
  expect(told.at(-2)).toBe("check done");
  // The default profile preloads nothing.
  const taken = steps.filter((step) => step !== "preload");
  const ofSteps = taken.flatMap((step) => [`${step} started`, `${step} done`]);
  expect(told.slice(1, -1).sort()).toEqual(ofSteps.sort());
  for (const step of taken)
    expect(told.indexOf(`${step} started`), step).toBeLessThan(told.indexOf(`${step} done`));
}

describe("creating a sandbox", () => {
  beforeEach(() => async () => {
    const answer = await theirs.fetch("/v1/sandboxes");
    for (const { id } of sandboxList.parse(await answer.json()).sandboxes)
      await theirs.fetch(`/v1/sandboxes/${id}`, { method: "DELETE" });
    expect(await traces()).toEqual(before);
  });

  it("answers 201 when it is ready, in exactly the shape of the contract", async () => {
    const request = { name: "lab", ttl: "2h", memory: "512M", cpus: 0.5, pids: 300, disk: "1G" };
    const answer = await theirs.fetch("/v1/sandboxes", { json: request });
    expect(answer.status).toBe(201);
    const made = sandbox.strict().parse(await answer.json());
    const isolation: string = made.isolation;
    expect(answer.headers.get("location")).toBe(`/v1/sandboxes/${made.id}`);
    expect(made).toEqual({
      id: expect.stringMatching(/^[a-z][a-z0-9]{7}$/) as string,
      user,
      name: "lab",
      profile: "default",
      isolation,
      state: "ready",
      ...(isolation === "privileged"
        ? { warning: expect.stringContaining("root on the host") as string }
        : {}),
      createdAt: made.createdAt,
      expiresAt: new Date(Date.parse(made.createdAt) + 2 * hour).toISOString(),
      maxTtlMs: expect.any(Number) as number,
      dockerHost: expect.stringMatching(/^tcp:\/\/[^/]+:\d+$/) as string,
      ports: { from: made.ports.from, to: made.ports.from + 9 },
      limits: { memoryBytes: 512 * 1024 ** 2, cpus: 0.5, pids: 300, diskBytes: 1024 ** 3 },
      slice: "berth-e2e\\x2dapi.slice",
      incidents: [],
    });
    expect(Math.abs(Date.now() - Date.parse(made.createdAt))).toBeLessThan(patience(60_000));
  });

  it("answers 202 at once when asked to, and its events tell each step in order", async () => {
    const headers = { prefer: "respond-async" };
    const answer = await theirs.fetch("/v1/sandboxes", { json: {}, headers });
    expect(answer.status).toBe(202);
    const begun = sandbox.parse(await answer.json());
    expect(begun.state).toBe("creating");
    expect(answer.headers.get("location")).toBe(`/v1/sandboxes/${begun.id}`);

    const events = await eventsOf(begun.id, isState("ready"));
    expectWholeCreation(outline(events));
    for (const event of events) {
      if (event.event === "step")
        expect(event.ms === undefined, `${event.step} ${event.status}`).toBe(
          event.status === "started",
        );
    }
    const last = events.at(-1);
    expect(last).toMatchObject({ ms: expect.any(Number) as number, expiresAt: begun.expiresAt });
    const longest = Math.max(...events.map((e) => (e.event === "step" ? (e.ms ?? 0) : 0)));
    expect(last?.ms).toBeGreaterThanOrEqual(longest);
    const moments = events.map(({ at }) => at);
    expect(moments).toEqual([...moments].sort());

    expect(await eventsOf(begun.id, isState("ready"))).toEqual(events);
    const shown = await theirs.fetch(`/v1/sandboxes/${begun.id}`);
    expect(sandbox.parse(await shown.json()).state).toBe("ready");
  });

  it("tells whoever follows of the removal, and ends their stream", async () => {
    const { id } = await theirs.create();
    const followed = eventsOf(id);
    const gone = await theirs.fetch(`/v1/sandboxes/${id}`, { method: "DELETE" });
    expect(gone.status).toBe(204);
    expect(await gone.text()).toBe("");
    const told = outline(await followed);
    expect(told.slice(-2)).toEqual(["removing", "removed"]);
    expectWholeCreation(told.slice(0, -2));
    for (const method of ["GET", "DELETE"]) {
      const again = await theirs.fetch(`/v1/sandboxes/${id}`, { method });
      expect(await problemOf(again)).toMatchObject({ status: 404, code: "SANDBOX_NOT_FOUND" });
    }
    expect(await traces()).toEqual(before);
  });

  it("leaves nothing when the client hangs up while it waits", async () => {
    const hangUp = new AbortController();
    const { signal } = hangUp;
    const waiting = theirs.fetch("/v1/sandboxes", { json: { name: "lost" }, signal });
    waiting.catch(() => undefined);
    const listed = async () => {
      const answer = await theirs.fetch("/v1/sandboxes");
      return sandboxList.parse(await answer.json()).sandboxes;
    };
    await expect.poll(listed, { interval: 10 }).toHaveLength(1);
    const [begun] = await listed();
    expect(begun?.state).toBe("creating");
    const story = eventsOf(begun?.id ?? "");
    hangUp.abort();
    await expect(waiting).rejects.toThrow();
    expect((await story).at(-1)).toMatchObject({
      state: "failed",
      problem: { code: "CREATE_CANCELLED" },
    });
    expect(await listed()).toEqual([]);
    expect(await traces()).toEqual(before);
  });

  it("lets one of two at once for the same user and name win, and tells the other 409", async () => {
    const ask = () => theirs.fetch("/v1/sandboxes", { json: { name: "twin" } });
    const [one, other] = await Promise.all([ask(), ask()]);
    const [winner, loser] = one.status === 201 ? [one, other] : [other, one];
    expect(winner.status).toBe(201);
    const { id } = sandbox.parse(await winner.json());
    const problem = await problemOf(loser);
    expect(problem).toMatchObject({ status: 409, code: "SANDBOX_EXISTS" });
    expect(problem.detail).toContain("twin");
    expect(problem.detail).toContain(id);
  });

  it("makes ten at once, each for a user of its own, and removes them all", async () => {
    const names = Array.from({ length: 10 }, (_, i) => `e2e-many-${i}`);
    const many = await Promise.all(
      names.map(async (name) => {
        const answer = await admins.fetch("/v1/users", { json: { name } });
        return new ApiClient(theirs.url, addedUser.parse(await answer.json()).token);
      }),
    );
    const made = await Promise.all(many.map((one) => one.create({ memory: "256M" })));
    expect(made.map((one) => one.user)).toEqual(names);
    expect(made.every((one) => one.state === "ready")).toBe(true);
    const ports = made.flatMap((one) => [one.ports.from, Number(new URL(one.dockerHost).port)]);
    expect(new Set(ports).size).toBe(20);
    const removals = await Promise.all(
      names.map((name) => admins.fetch(`/v1/users/${name}`, { method: "DELETE" })),
    );
    expect(removals.map(({ status }) => status)).toEqual(names.map(() => 200));
    expect(await traces()).toEqual(before);
  });
});

describe("a sandbox", () => {
  let mine: Sandbox;
  let path: string;
  beforeAll(async () => {
    mine = await theirs.create({ name: "kept", ttl: "1h", memory: "512M", disk: "1G" });
    path = `/v1/sandboxes/${mine.id}`;
  });

  it("is listed and shown with the same words as when it was made", async () => {
    const list = await theirs.fetch("/v1/sandboxes");
    expect(await list.json()).toEqual({ sandboxes: [mine] });
    expect(await (await theirs.fetch(path)).json()).toEqual(mine);
    const all = sandboxList.parse(await (await admins.fetch("/v1/sandboxes")).json());
    expect(all.sandboxes).toContainEqual(mine);
    const ofUser = await admins.fetch(`/v1/sandboxes?user=${user}`);
    expect(await ofUser.json()).toEqual({ sandboxes: [mine] });
  });

  it("gets as much time as is added, and no more than the maximum", async () => {
    const now = sandbox.parse(await (await theirs.fetch(path)).json());
    const answer = await theirs.fetch(`${path}/extend`, { json: { ttl: "90m" } });
    expect(answer.status).toBe(200);
    const extended = sandbox.parse(await answer.json());
    expect(Date.parse(extended.expiresAt) - Date.parse(now.expiresAt)).toBe(1.5 * hour);

    const { ttl } = me.parse(await (await theirs.fetch("/v1/me")).json());
    const json = { ttl: `${ttl.maxMs / hour}h` };
    const problem = await problemOf(await theirs.fetch(`${path}/extend`, { json }));
    expect(problem).toMatchObject({ status: 400, code: "TTL_TOO_LONG" });
    expect(await (await theirs.fetch(path)).json()).toEqual(extended);
  });

  it("tells what it uses, below its limits", async () => {
    const told = usage.strict().parse(await (await theirs.fetch(`${path}/usage`)).json());
    expect(told.memory.limitBytes).toBe(mine.limits.memoryBytes);
    expect(told.memory.usedBytes).toBeGreaterThan(1024 ** 2);
    expect(told.memory.usedBytes).toBeLessThan(told.memory.limitBytes);
    expect(told.cpu.limitCpus).toBe(mine.limits.cpus);
    expect(told.cpu.usedSeconds).toBeGreaterThan(0.05);
    expect(told.pids.limit).toBe(mine.limits.pids);
    expect(told.pids.used).toBeGreaterThan(5);
    expect(told.pids.used).toBeLessThan(told.pids.limit);
    expect(told.disk.limitBytes).toBe(mine.limits.diskBytes);
    expect(told.disk.usedBytes).toBeGreaterThan(1024);
    expect(told.disk.usedBytes).toBeLessThan(told.disk.limitBytes);
    expect(Math.abs(Date.parse(told.at) - Date.now())).toBeLessThan(patience(60_000));
  });

  const bundle = (accept: string) => theirs.fetch(`${path}/bundle`, { headers: { accept } });

  it("gives its bundle as a tar, with a certificate of the user's that ends with the sandbox", async () => {
    const answer = await bundle("application/x-tar");
    expect(answer.headers.get("content-type")).toBe("application/x-tar");
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(answer.headers.get("content-disposition")).toContain(`berth-${user}-kept.tar`);
    const files = await readBundleTar(Buffer.from(await answer.arrayBuffer()));
    const text = (name: string) => String(files.find((file) => file.name === name)?.content);
    const certificate = new X509Certificate(text("cert.pem"));
    expect(certificate.subject).toContain(`CN=${user}`);
    expect(certificate.verify(new X509Certificate(text("ca.pem")).publicKey)).toBe(true);
    const { expiresAt } = sandbox.parse(await (await theirs.fetch(path)).json());
    const whole = 1000 * Math.floor(Date.parse(expiresAt) / 1000);
    expect(Date.parse(certificate.validTo)).toBe(whole);

    const second = await readBundleTar(
      Buffer.from(await (await bundle("application/x-tar")).arrayBuffer()),
    );
    const key = second.find((file) => file.name === "key.pem")?.content;
    expect(String(key) === text("key.pem")).toBe(false);
  });

  it("gives its bundle as a zip, also to whoever takes anything", async () => {
    for (const accept of ["application/zip", "*/*"]) {
      const answer = await bundle(accept);
      expect(answer.headers.get("content-type")).toBe("application/zip");
      expect(answer.headers.get("content-disposition")).toContain(`berth-${user}-kept.zip`);
      const dir = await mkdtemp(join(tmpdir(), "berth-e2e-"));
      const file = join(dir, "bundle.zip");
      await writeFile(file, Buffer.from(await answer.arrayBuffer()));
      // unzip may be missing where Berth runs fine; python is on every Debian that builds the host.
      const names = ok(
        await run("python3", [
          "-c",
          "import sys,zipfile;z=zipfile.ZipFile(sys.argv[1]);assert not z.testzip();print(*z.namelist())",
          file,
        ]),
      );
      expect(names.split(" ").sort()).toEqual([...bundleFileNames].sort());
      await rm(dir, { recursive: true });
    }
  });

  it("says which forms a bundle has to whoever wants another", async () => {
    const problem = await problemOf(await bundle("application/json"));
    expect(problem).toMatchObject({ status: 400, code: "INVALID_REQUEST" });
    expect(problem.detail).toMatch(/application\/zip.*application\/x-tar/);
  });

  it("is not what a dry run of reap would touch", async () => {
    const answer = await admins.fetch("/v1/reap", { json: { dryRun: true } });
    const told = reapResult.parse(await answer.json());
    expect(told.dryRun).toBe(true);
    expect(told.actions.filter(({ thing }) => thing.includes(mine.id))).toEqual([]);
    expect((await theirs.fetch(path)).status).toBe(200);
  });

  it("once expired is named by a dry run of reap, and removed by a real one", async () => {
    const brief = await theirs.create({ name: "brief", ttl: "1s" });
    await expect
      .poll(() => Date.now() - Date.parse(brief.expiresAt), { interval: 50 })
      .toBeGreaterThan(0);
    const ofIt = async (json: object) => {
      const told = reapResult.parse(await (await admins.fetch("/v1/reap", { json })).json());
      return told.actions.filter(({ thing }) => thing.includes(brief.id));
    };
    const expired = { act: "remove sandbox", why: expect.stringContaining("expired") as string };
    expect(await ofIt({ dryRun: true })).toEqual([expect.objectContaining(expired)]);
    expect((await theirs.fetch(`/v1/sandboxes/${brief.id}`)).status).toBe(200);
    expect(await ofIt({})).toEqual([expect.objectContaining(expired)]);
    expect((await theirs.fetch(`/v1/sandboxes/${brief.id}`)).status).toBe(404);
    expect((await traces()).filter((line) => line.includes(brief.id))).toEqual([]);
  });

  it("is counted in the metrics, which name nobody", async () => {
    const answer = await nobody.fetch("/metrics");
    expect(answer.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
    const text = await answer.text();
    const count = /^berth_sandboxes\{state="ready"\} (\d+)$/m.exec(text)?.[1];
    expect(Number(count)).toBeGreaterThanOrEqual(1);
    expect(text).toMatch(/^berth_creations_total\{result="ready"\} \d+$/m);
    for (const name of [user, mine.id, "kept", admin]) expect(text).not.toContain(name);
    for (const line of text.split("\n").filter(Boolean)) {
      expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|\w+(\{[^}]*\})? [-+\d.eNInfa]+)$/);
    }
  });
});

describe("the API's description", () => {
  type Content = Record<string, { schema?: unknown } | undefined>;
  interface Operation {
    summary: string;
    parameters: { name: string; in: string }[];
    security?: object[];
    requestBody?: { content: Content };
    responses: Record<string, { description: string; content?: Content }>;
  }
  interface Document {
    openapi: string;
    info: { title: string; version: string };
    paths: Record<string, Record<string, Operation>>;
    components: { schemas: Record<string, unknown>; securitySchemes: Record<string, unknown> };
  }
  let document: Document;
  beforeAll(async () => {
    document = (await (await nobody.fetch("/openapi.json")).json()) as Document;
  });

  const operations = () =>
    Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
    );

  /** A check made from the document alone, as a stranger's generated client would make it. */
  function check(schema: unknown): z.ZodType {
    const definition = { ...(schema as object), components: document.components };
    const text = JSON.stringify(definition).replaceAll("#/components/schemas/", "#/$defs/");
    const { components, ...rest } = JSON.parse(text) as { components: Document["components"] };
    return z.fromJSONSchema({ ...rest, $defs: components.schemas } as never);
  }

  it("is OpenAPI 3.1 whose references all lead somewhere", () => {
    expect(document.openapi).toMatch(/^3\.1\.\d+$/);
    expect(document.info).toMatchObject({ title: "Berth", version: expect.any(String) as string });
    const references = JSON.stringify(document).match(/"\$ref":"[^"]*"/g) ?? [];
    expect(references.length).toBeGreaterThan(10);
    for (const reference of new Set(references)) {
      const name = /"#\/components\/schemas\/(\w+)"$/.exec(reference)?.[1] ?? reference;
      expect(Object.keys(document.components.schemas)).toContain(name);
    }
    for (const { path, method, operation } of operations()) {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const declared = operation.parameters.filter((p) => p.in === "path").map((p) => p.name);
      expect(declared, path).toEqual(inPath);
      expect(
        Object.keys(operation.responses).some((s) => /^(2\d\d|303)$/.test(s)),
        path,
      ).toBe(true);
      for (const answer of Object.values(operation.responses))
        expect(answer.description.length, `${method} ${path}`).toBeGreaterThan(0);
    }
  });

  it("has every route of the contract, and every route it has is served", async () => {
    const described = operations().map(({ path, method }) => `${method.toUpperCase()} ${path}`);
    expect(described).toEqual(
      expect.arrayContaining([
        ...["POST", "GET"].map((method) => `${method} /v1/sandboxes`),
        ...["GET", "DELETE"].map((method) => `${method} /v1/sandboxes/{id}`),
        ...["extend", "resize"].map((what) => `POST /v1/sandboxes/{id}/${what}`),
        ...["bundle", "events", "usage"].map((what) => `GET /v1/sandboxes/{id}/${what}`),
        "POST /v1/reap",
        ...["/healthz", "/metrics", "/openapi.json", "/"].map((path) => `GET ${path}`),
      ]),
    );
    for (const { path, method, operation } of operations()) {
      const filled = path.replaceAll(/\{\w+\}/g, "zzzzzzzz");
      // A body that no route takes: this only asks whether anyone is there.
      const body = operation.requestBody ? { body: "[]" } : {};
      const answer = await theirs.fetch(filled, { method: method.toUpperCase(), ...body });
      const known = Object.keys(operation.responses);
      expect(known, `${method} ${path} says nothing of`).toContain(String(answer.status));
      if (answer.ok) continue;
      const { code } = await problemOf(answer);
      expect(["NOT_FOUND", "METHOD_NOT_ALLOWED"], `${method} ${path}`).not.toContain(code);
      expect(operation.responses[answer.status]?.description).toContain(code);
    }
  });

  it("holds for real answers and real errors", async () => {
    const { id } = await theirs.create({ name: "described" });
    const cases: [string, string, number, RequestInit?][] = [
      ["get", "/v1/sandboxes", 200],
      ["get", "/v1/sandboxes/{id}", 200],
      ["get", "/v1/sandboxes/{id}/usage", 200],
      ["get", "/v1/me", 200],
      ["get", "/healthz", 200],
      ["get", "/v1/users", 403],
      ["post", "/v1/sandboxes", 400, { body: '{"naem": "x"}' }],
      ["post", "/v1/sandboxes", 409, { body: '{"name": "described"}' }],
    ];
    for (const [method, path, status, init] of cases) {
      const filled = path.replace("{id}", id);
      const answer = await theirs.fetch(filled, { ...init, method: method.toUpperCase() });
      expect(answer.status, path).toBe(status);
      const content = document.paths[path]?.[method]?.responses[String(status)]?.content ?? {};
      const type = answer.headers.get("content-type")?.split(";")[0] ?? "";
      expect(Object.keys(content), path).toContain(type);
      check(content[type]?.schema).parse(await answer.json());
    }
    expect(() => check(document.components.schemas["Sandbox"]).parse({ id: "no" })).toThrow();
  });
});

describe("the API's manners", () => {
  it("says that it is well, and its version", async () => {
    const answer = await nobody.fetch("/healthz");
    expect(await answer.json()).toEqual({
      status: "ok",
      version: expect.stringMatching(/^\d+\.\d+\.\d+/) as string,
    });
  });

  it("answers HEAD as GET without the body", async () => {
    const answer = await theirs.fetch("/v1/sandboxes", { method: "HEAD" });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toContain("application/json");
    expect(await answer.text()).toBe("");
  });

  it("names the methods that a path takes when another is used", async () => {
    for (const [path, method, allow] of [
      ["/v1/sandboxes", "PUT", "POST, GET, HEAD"],
      ["/v1/sandboxes/zzzzzzzz", "PATCH", "GET, DELETE, HEAD"],
      ["/v1/reap", "GET", "POST"],
      ["/healthz", "POST", "GET, HEAD"],
    ] as const) {
      const answer = await theirs.fetch(path, { method });
      expect(await problemOf(answer)).toMatchObject({ status: 405, code: "METHOD_NOT_ALLOWED" });
      expect(answer.headers.get("allow")).toBe(allow);
    }
  });

  it("answers 404 for paths it does not know, with or without a token", async () => {
    for (const client of [theirs, nobody]) {
      for (const path of ["/v1/sandbox", "/v2/sandboxes", "/page/../../etc/passwd", "/v1"]) {
        const problem = await problemOf(await client.fetch(path));
        expect(problem).toMatchObject({ status: 404, code: "NOT_FOUND" });
        expect(problem.detail).toContain("/openapi.json");
      }
    }
  });

  it("sends the headers that keep browsers in check, with errors too", async () => {
    for (const path of ["/", "/healthz", "/v1/nothing", "/page/app.js", "/v1/sandboxes"]) {
      const { headers } = await theirs.fetch(path);
      expect(headers.get("content-security-policy"), path).toContain("default-src 'none'");
      expect(headers.get("content-security-policy"), path).toContain("frame-ancestors 'none'");
      expect(headers.get("x-content-type-options"), path).toBe("nosniff");
      expect(headers.get("referrer-policy"), path).toBe("no-referrer");
      expect(headers.get("x-powered-by"), path).toBeNull();
      expect(headers.get("access-control-allow-origin"), path).toBeNull();
    }
  });

  it("takes root at its word over the unix socket, which root alone can open", async () => {
    const line = (path: string) =>
      `curl -s --unix-socket /run/berth/berth.sock http://localhost${path}`;
    const said = me.parse(JSON.parse(ok(await onHost(line("/v1/me")))));
    expect(said.role).toBe("admin");
    expect(said.user).toBeUndefined();
    expect(ok(await onHost("stat -c '%a %U' /run/berth /run/berth/berth.sock"))).toBe(
      "700 root\n600 root",
    );
    const other = await onHost(`setpriv --reuid 65534 --clear-groups ${line("/v1/me")}`);
    expect(other.code).not.toBe(0);
  });
});
