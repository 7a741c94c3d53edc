import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { session } from "../../../src/lib/contract/session.js";
import { problemIn, TestApi } from "./support.js";

let api: TestApi;
afterEach(() => api.stop());

const start = async (from: string[], more: object = {}) => {
  api = await TestApi.start({
    groups: { students: {}, staff: {} },
    signIn: {
      proxy: {
        header: "Remote-User",
        groupsHeader: "Remote-Groups",
        adminGroups: ["ops"],
        from,
        ...more,
      },
    },
  });
};
const meBy = (headers: Record<string, string>) => api.fetch("/v1/me", { headers });

describe("a proxy that signs people in", () => {
  it.each([["127.0.0.1"], ["127.0.0.0/8"], ["10.0.0.1", "127.0.0.1"]])(
    "is believed from where it is (%s)",
    async (...from) => {
      await start(from);
      const headers = { "remote-user": "Ann", "remote-groups": "students, other , staff" };
      expect(await (await meBy(headers)).json()).toMatchObject({
        user: "ann",
        role: "user",
        groups: ["staff", "students"],
      });
      const told = await (await api.fetch("/v1/session", { headers })).json();
      expect(session.strict().parse(told)).toMatchObject({ signedIn: true, user: "ann" });
      expect(api.users.list()).toMatchObject([{ name: "ann", hasToken: false }]);
    },
  );

  it.each([["10.0.0.1"], ["192.0.2.0/24"], ["::1"], ["fe80::/10"]])(
    "is believed from nowhere else (%s)",
    async (...from) => {
      await start(from);
      const headers = { "remote-user": "ann", "x-forwarded-for": from[0].split("/")[0] ?? "" };
      expect((await meBy(headers)).status).toBe(401);
      expect(await (await api.fetch("/v1/session", { headers })).json()).toMatchObject({
        signedIn: false,
        methods: [{ kind: "proxy" }, { kind: "password" }],
      });
      expect(api.users.list()).toEqual([]);
    },
  );

  it("makes admins of those in the groups for it", async () => {
    await start(["127.0.0.1"]);
    const as = (groups: string) => meBy({ "remote-user": "ann", "remote-groups": groups });
    expect(await (await as("ops")).json()).toMatchObject({ role: "admin" });
    expect(await (await as("students")).json()).toMatchObject({ role: "user" });
    expect(await (await meBy({ "remote-user": "ann" })).json()).toMatchObject({ role: "user" });
  });

  it.each(["ann, boss", "../x", "a b", "x".repeat(33), "ann@example.edu"])(
    "names nobody by %j",
    async (name) => {
      await start(["127.0.0.1"]);
      const headers = { "remote-user": name };
      expect((await problemIn(await meBy(headers))).code).toBe("SIGN_IN_REFUSED");
      expect(await (await api.fetch("/v1/session", { headers })).json()).toMatchObject({
        signedIn: false,
        problem: { code: "SIGN_IN_REFUSED" },
      });
      expect(api.users.list()).toEqual([]);
    },
  );

  it("does not let another site act through it", async () => {
    await start(["127.0.0.1"]);
    const make = (headers: Record<string, string>) =>
      api.fetch("/v1/sandboxes", { method: "POST", headers: { "remote-user": "ann", ...headers } });
    expect((await problemIn(await make({}))).code).toBe("CROSS_SITE_REQUEST");
    const evil = { "x-berth-request": "1", origin: "https://evil.test" };
    expect((await make(evil)).status).toBe(403);
    const own = { "x-berth-request": "1", origin: "https://berth.test" };
    expect((await make({ ...own, "x-forwarded-host": "berth.test" })).status).toBe(201);
  });

  it("speaks over a session of somebody else's, but not over a token", async () => {
    await start(["127.0.0.1"]);
    const token = await api.token("bob");
    const signedIn = await api.fetch("/v1/session", { json: { token } });
    const cookie = (signedIn.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
    const headers = { "remote-user": "ann", cookie };
    expect(await (await meBy(headers)).json()).toMatchObject({ user: "ann" });
    expect(await (await api.fetch("/v1/me", { headers, token })).json()).toMatchObject({
      user: "bob",
    });
    expect(await (await meBy({ cookie })).json()).toMatchObject({ user: "bob" });
  });

  it("says whether the browser came by HTTPS, and from where, for cookies and limits", async () => {
    await start(["127.0.0.1"]);
    const token = await api.token("bob");
    const headers = { "x-forwarded-proto": "https" };
    const answer = await api.fetch("/v1/session", { json: { token }, headers });
    const set = answer.headers.get("set-cookie") ?? "";
    expect(set).toMatch(/^__Host-berth_session=.*; Secure/);
    const guess = (address: string) =>
      api.fetch("/v1/me", { token: "wrong", headers: { "x-forwarded-for": address } });
    for (let i = 0; i < 60; i++) await guess("192.0.2.1");
    expect((await guess("192.0.2.1")).status).toBe(429);
    expect((await guess("192.0.2.2")).status).toBe(401);
  });
});

describe("a proxy that shows a secret", () => {
  let dir: string;
  afterEach(() => rm(dir, { recursive: true }));

  it("is believed with it alone: on a shared machine, others connect from its address too", async () => {
    dir = await mkdtemp(join(tmpdir(), "berth-proxy-"));
    const secretFile = join(dir, "secret");
    await writeFile(secretFile, "correct horse battery\n");
    await start(["127.0.0.1"], { secretFile });
    const headers = { "remote-user": "ann" };
    for (const secret of [{}, { "x-berth-proxy-secret": "correct" }]) {
      const problem = await problemIn(await meBy({ ...headers, ...secret }));
      expect(problem.code).toBe("SIGN_IN_REFUSED");
    }
    expect(api.users.list()).toEqual([]);
    const shown = { ...headers, "x-berth-proxy-secret": "correct horse battery" };
    expect(await (await meBy(shown)).json()).toMatchObject({ user: "ann" });
    expect(await (await api.fetch("/v1/session")).json()).toMatchObject({ signedIn: false });
    for (const line of api.logged) expect(line).not.toContain("correct");
  });
});

describe("a proxy that signs nobody in", () => {
  it("says from where requests come, and not who asks", async () => {
    api = await TestApi.start({ listen: { proxies: ["127.0.0.1"] } });
    const headers = { "remote-user": "ann", "x-forwarded-proto": "https" };
    expect((await meBy(headers)).status).toBe(401);
    const token = await api.token("bob");
    const answer = await api.fetch("/v1/session", { json: { token }, headers });
    expect(answer.headers.get("set-cookie")).toMatch(/^__Host-berth_session=/);
  });
});

describe("without a proxy in the configuration", () => {
  it("no header says who or where anybody is", async () => {
    api = await TestApi.start();
    const headers = {
      "remote-user": "ann",
      "x-forwarded-proto": "https",
      "x-forwarded-for": "::1",
    };
    expect((await meBy(headers)).status).toBe(401);
    const token = await api.token("bob");
    const answer = await api.fetch("/v1/session", { json: { token }, headers });
    expect(answer.headers.get("set-cookie")).toMatch(/^berth_session=/);
  });

  it("the public address says that browsers come by HTTPS, and from which page", async () => {
    api = await TestApi.start({ publicUrl: "https://berth.example.edu" });
    const token = await api.token("bob");
    const headers = { origin: "https://berth.example.edu" };
    const answer = await api.fetch("/v1/session", { json: { token }, headers });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("set-cookie")).toMatch(/^__Host-berth_session=.*; Secure/);
  });
});
