import { stat, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { session } from "../../../src/lib/contract/session.js";
import { problemIn, TestApi } from "./support.js";

const password = "correct horse battery";
const mark = { "x-berth-request": "1" };
const hour = 3_600_000;

let api: TestApi;
let token: string;
beforeEach(async () => {
  api = await TestApi.start();
  ({ token } = await api.users.add("ann", "user", { password }));
});
afterEach(() => api.stop());

/** What a browser sends back of the cookie that an answer sets. */
const cookieIn = (answer: Response) => (answer.headers.get("set-cookie") ?? "").split(";")[0] ?? "";

const signIn = (json: object, headers: Record<string, string> = {}) =>
  api.fetch("/v1/session", { json, headers });

async function signedIn(): Promise<string> {
  const answer = await signIn({ token });
  expect(answer.status).toBe(200);
  return cookieIn(answer);
}

const sessionOf = async (headers: Record<string, string>) =>
  session.strict().parse(await (await api.fetch("/v1/session", { headers })).json());

describe("a session", () => {
  it("is begun by password or token, and says who it is of", async () => {
    for (const credentials of [{ user: "ann", password }, { token }]) {
      const answer = await signIn(credentials);
      expect(await answer.json()).toEqual({
        signedIn: true,
        user: "ann",
        role: "user",
        methods: [{ kind: "password", label: "Password or token" }],
      });
      const cookie = cookieIn(answer);
      expect(await sessionOf({ cookie })).toMatchObject({ signedIn: true, user: "ann" });
      expect((await api.fetch("/v1/me", { headers: { cookie } })).status).toBe(200);
    }
  });

  it("is in a cookie that no script and no other site sees, sealed", async () => {
    const answer = await signIn({ user: "ann", password });
    const set = answer.headers.get("set-cookie") ?? "";
    expect(set).toMatch(/^berth_session=Fe26\.2\*/);
    expect(set.split("; ").slice(1).sort()).toEqual(
      ["HttpOnly", "Max-Age=43200", "Path=/", "SameSite=Lax"].sort(),
    );
    const parts = set.split("*").map((part) => Buffer.from(part, "base64url").toString("latin1"));
    expect(`${set}${parts.join("")}`).not.toContain('"ann"');
    expect(answer.headers.get("cache-control")).toBe("no-store");
    const dir = `${api.berth.dir}-data`;
    expect((await stat(join(dir, "session-key"))).mode & 0o777).toBe(0o600);
  });

  it("tells nobody more than the ways in, and is no error without one", async () => {
    const answer = await api.fetch("/v1/session");
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({
      signedIn: false,
      methods: [{ kind: "password", label: "Password or token" }],
    });
    for (const bad of [{ cookie: "berth_session=x" }, { authorization: "Bearer nonsense" }])
      expect(await sessionOf(bad)).toMatchObject({ signedIn: false });
  });

  it("is over when its user signs out, also where the cookie was copied to, through a restart", async () => {
    const cookie = await signedIn();
    const other = await signedIn();
    const out = await api.fetch("/v1/session", { method: "DELETE", headers: { cookie, ...mark } });
    expect(out.status).toBe(204);
    expect(out.headers.get("set-cookie")).toMatch(/^berth_session=; Max-Age=0;/);
    expect((await api.fetch("/v1/me", { headers: { cookie } })).status).toBe(401);
    expect((await api.fetch("/v1/me", { headers: { cookie: other } })).status).toBe(200);
    await api.restart();
    expect((await api.fetch("/v1/me", { headers: { cookie } })).status).toBe(401);
    expect((await api.fetch("/v1/me", { headers: { cookie: other } })).status).toBe(200);
  });

  it("is over after twelve hours", async () => {
    const cookie = await signedIn();
    api.berth.later(12 * hour - 1);
    expect(await sessionOf({ cookie })).toMatchObject({ signedIn: true });
    api.berth.later(1);
    expect(await sessionOf({ cookie })).toMatchObject({ signedIn: false });
    expect(await problemIn(await api.fetch("/v1/me", { headers: { cookie } }))).toMatchObject({
      code: "UNAUTHENTICATED",
      detail: "the session is over; sign in again",
    });
  });

  it.each([
    ["has another password", () => api.users.setPassword("ann", "battery horse correct")],
    [
      "is removed and another takes the name",
      async () => {
        api.users.revoke("ann");
        await api.users.remove("ann");
        await api.users.add("ann", "admin");
      },
    ],
  ])("is over when its user %s", async (_what, act) => {
    const cookie = await signedIn();
    await act();
    expect((await api.fetch("/v1/me", { headers: { cookie } })).status).toBe(401);
  });

  it.each(["one letter", "the end", "the beginning"])("with %s changed is none", async (what) => {
    const cookie = await signedIn();
    const middle = Math.floor(cookie.length / 2);
    const changed = {
      "one letter":
        cookie.slice(0, middle) + (cookie[middle] === "A" ? "B" : "A") + cookie.slice(middle + 1),
      "the end": cookie.slice(0, -3),
      "the beginning": cookie.replace("Fe26.2", "Fe26.1"),
    }[what];
    expect(await sessionOf({ cookie: changed ?? "" })).toMatchObject({ signedIn: false });
  });

  it("that is over does not shut out those behind the same address", async () => {
    const headers = { cookie: "berth_session=over" };
    for (let i = 0; i < 70; i++) expect((await api.fetch("/v1/me", { headers })).status).toBe(401);
    expect((await signIn({ token })).status).toBe(200);
  });
});

describe("a cookie by itself", () => {
  const own = { "content-type": "application/json" };
  it.each<[string, number, Record<string, string>]>([
    ["without a mark", 403, {}],
    ["with a form's body", 403, { "content-type": "text/plain" }],
    ["with a mark", 201, mark],
    ["with JSON", 201, own],
    ["with JSON in a charset", 201, { "content-type": "application/json; charset=utf-8" }],
    ["from the page", 201, { ...own, "sec-fetch-site": "same-origin" }],
    ["from another site", 403, { ...mark, ...own, "sec-fetch-site": "cross-site" }],
    ["from a neighbour", 403, { ...mark, ...own, "sec-fetch-site": "same-site" }],
    ["by a link", 403, { ...mark, ...own, "sec-fetch-site": "none" }],
    ["from another origin", 403, { ...mark, origin: "https://evil.test" }],
    ["from no origin that can be told", 403, { ...mark, origin: "null" }],
  ])("%s is answered %i", async (_what, status, headers) => {
    const cookie = await signedIn();
    const answer = await api.fetch("/v1/sandboxes", {
      method: "POST",
      headers: { cookie, ...headers },
      body: "{}",
    });
    expect(answer.status).toBe(status);
    if (status === 403) {
      expect((await problemIn(answer)).code).toBe("CROSS_SITE_REQUEST");
      expect(await api.berth.leftovers()).toEqual([]);
    }
  });

  it("from the page's own origin is taken, by whatever name it is dialled", async () => {
    const cookie = await signedIn();
    const headers = { cookie, ...mark, origin: `http://127.0.0.1:${api.port}` };
    const answer = await api.fetch("/v1/sandboxes", { method: "POST", headers });
    expect(answer.status).toBe(201);
  });

  it("is not needed with a token, which no browser sends by itself", async () => {
    const headers = { origin: "https://elsewhere.test", "sec-fetch-site": "cross-site" };
    const answer = await api.fetch("/v1/sandboxes", { method: "POST", headers, token });
    expect(answer.status).toBe(201);
  });

  it("cannot be had through another site, nor thrown away", async () => {
    const headers = { "sec-fetch-site": "cross-site" };
    const inward = await signIn({ user: "ann", password }, headers);
    expect((await problemIn(inward)).code).toBe("CROSS_SITE_REQUEST");
    expect(inward.headers.get("set-cookie")).toBeNull();
    const cookie = await signedIn();
    const out = await api.fetch("/v1/session", { method: "DELETE", headers: { cookie } });
    expect((await problemIn(out)).code).toBe("CROSS_SITE_REQUEST");
    expect(await sessionOf({ cookie })).toMatchObject({ signedIn: true });
  });
});

describe("a wrong password", () => {
  const wrong = { user: "ann", password: "correct horse" };

  it("looks like a user there is none of", async () => {
    const problems = [];
    for (const json of [wrong, { ...wrong, user: "nobody" }, { ...wrong, user: "<script>" }]) {
      const answer = await signIn(json);
      expect(answer.headers.get("set-cookie")).toBeNull();
      problems.push(await problemIn(answer));
    }
    expect(problems[0]).toMatchObject({ status: 401, code: "UNAUTHENTICATED" });
    expect(new Set(problems.map((one) => JSON.stringify(one))).size).toBe(1);
  });

  it("is heard ten times in ten minutes, all at once or not; tokens and sessions go on", async () => {
    const cookie = await signedIn();
    const answers = await Promise.all(Array.from({ length: 14 }, () => signIn(wrong)));
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([...Array<number>(10).fill(401), ...Array<number>(4).fill(429)]);
    expect((await signIn({ user: "ann", password })).status).toBe(429);
    expect((await signIn({ token })).status).toBe(200);
    expect((await api.fetch("/v1/me", { headers: { cookie } })).status).toBe(200);
    await api.users.add("bob", "user", { password });
    expect((await signIn({ user: "bob", password })).status).toBe(200);
  }, 60_000);

  it("is nowhere in the log, the answers or the files, nor is a right one", async () => {
    await signIn(wrong);
    await signIn({ user: "ann", password });
    const dir = `${api.berth.dir}-data`;
    const files = await readdir(dir, { recursive: true, withFileTypes: true });
    const texts = await Promise.all(
      files
        .filter((file) => file.isFile())
        .map((file) => readFile(join(file.parentPath, file.name), "utf8")),
    );
    for (const text of [...texts, ...api.logged]) expect(text).not.toContain("correct horse");
    const list = await (await api.asRoot("/v1/users")).text();
    expect(list).toContain('"hasPassword":true');
    expect(list).not.toMatch(/salt|hash"|epoch/);
  });
});

describe("a password", () => {
  const put = (name: string, json: object, headers: Record<string, string>) =>
    api.fetch(`/v1/users/${name}/password`, { method: "PUT", json, headers });

  it("is changed by its user, who gives the one until now, and signs in anew", async () => {
    const cookie = await signedIn();
    const next = "battery horse correct";
    for (const json of [{ password: next }, { password: next, current: "wrong" }])
      expect((await put("ann", json, { cookie })).status).toBe(403);
    expect((await put("ann", { password: next, current: password }, { cookie })).status).toBe(204);
    expect((await api.fetch("/v1/me", { headers: { cookie } })).status).toBe(401);
    expect((await signIn({ user: "ann", password })).status).toBe(401);
    expect((await signIn({ user: "ann", password: next })).status).toBe(200);
  });

  it("of another is an admin's to set, and nobody's who is none", async () => {
    await api.users.add("bob", "user", { password: "bobs own password" });
    const cookie = await signedIn();
    const json = { password: "taken over by ann", current: password };
    expect((await put("bob", json, { cookie })).status).toBe(403);
    const path = "/v1/users/bob/password";
    expect((await api.asRoot(path, { method: "PUT", json })).status).toBe(204);
    expect((await signIn({ user: "bob", password: json.password })).status).toBe(200);
    const nobody = await api.asRoot("/v1/users/eve/password", { method: "PUT", json });
    expect((await problemIn(nobody)).code).toBe("USER_NOT_FOUND");
  });

  it.each(["short", "x".repeat(257)])("is not taken when it is %j", async (bad) => {
    const json = { name: "eve", password: bad };
    const problem = await problemIn(await api.asRoot("/v1/users", { json }));
    expect(problem.code).toBe("INVALID_REQUEST");
    expect(JSON.stringify(problem)).not.toContain(bad);
  });
});

describe("signing in on the page", () => {
  it("can be switched off for users of Berth's own; tokens work on for the API", async () => {
    await api.stop();
    api = await TestApi.start({ signIn: { local: false } });
    ({ token } = await api.users.add("ann", "user", { password }));
    for (const credentials of [{ user: "ann", password }, { token }])
      expect((await problemIn(await signIn(credentials))).code).toBe("FORBIDDEN");
    expect(await sessionOf({})).toEqual({ signedIn: false, methods: [] });
    expect((await api.fetch("/v1/me", { token })).status).toBe(200);
  });

  it.each([{}, { user: "ann" }, { token: "" }, { user: "ann", password, token: "x" }, null, "x"])(
    "needs what it needs (%j)",
    async (json) => {
      expect((await problemIn(await signIn(json as object))).code).toBe("INVALID_REQUEST");
    },
  );

  it("is noted with its time, to the minute", async () => {
    await signedIn();
    const seen = () => api.users.list()[0]?.lastSeenAt;
    const first = api.berth.now.toISOString();
    expect(seen()).toBe(first);
    api.berth.later(59_000);
    await signedIn();
    expect(seen()).toBe(first);
    await api.restart();
    expect(seen()).toBe(first);
  });
});
