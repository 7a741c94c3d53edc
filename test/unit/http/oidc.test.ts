import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { parseConfig } from "../../../src/config.js";
import { session, type Session } from "../../../src/lib/contract/session.js";
import { me } from "../../../src/lib/contract/user.js";
import { FakeBrowser, FakeProvider } from "../../fakes/provider.js";
import { problemIn, TestApi } from "./support.js";

// What the provider has to say of being run in a test.
vi.spyOn(console, "warn").mockImplementation(() => undefined);
vi.spyOn(console, "info").mockImplementation(() => undefined);

let provider: FakeProvider;
let dir: string;
let api: TestApi;
let browser: FakeBrowser;

async function start(more: object = {}): Promise<void> {
  dir = await mkdtemp(join(tmpdir(), "berth-oidc-"));
  const clientSecretFile = join(dir, "secret");
  await writeFile(clientSecretFile, `${provider.clientSecret}\n`);
  const { issuer, clientId } = provider;
  api = await TestApi.start({
    groups: { students: { limits: { memory: "512M" } }, staff: {} },
    signIn: {
      oidc: {
        issuer,
        clientId,
        clientSecretFile,
        label: "University",
        adminGroups: ["ops"],
        ...more,
      },
    },
  });
  provider.register(`${origin()}/v1/session/oidc/callback`);
}

beforeEach(async () => {
  provider = await FakeProvider.start();
  provider.people.set("17", { preferred_username: "Ann@Example.edu", groups: ["students", "x"] });
  browser = new FakeBrowser();
  await start();
});
afterEach(async () => {
  provider.stop();
  await api.stop();
  await rm(dir, { recursive: true });
});

const origin = () => `http://127.0.0.1:${api.port}`;
const atHome = (url: string) => url === `${origin()}/`;

/** Goes to the provider and back; tells whom the page then sees. */
async function signIn(login = "17", tab = browser): Promise<Session> {
  await tab.go(`${origin()}/v1/session/oidc`, login, atHome);
  return session.strict().parse(await (await tab.ask(`${origin()}/v1/session`)).json());
}

describe("signing in by OpenID Connect", () => {
  it("leads to the provider and back, and adds the user without a token", async () => {
    const before = await (await browser.ask(`${origin()}/v1/session`)).json();
    expect(before).toEqual({
      signedIn: false,
      methods: [
        { kind: "oidc", label: "University", url: "/v1/session/oidc" },
        { kind: "password", label: "Password or token" },
      ],
    });
    expect(await signIn()).toMatchObject({ signedIn: true, user: "ann", role: "user" });
    expect(api.users.list()).toMatchObject([
      { name: "ann", role: "user", groups: ["students"], hasToken: false, hasPassword: false },
    ]);
    const { groups, maxLimits } = me.parse(await (await browser.ask(`${origin()}/v1/me`)).json());
    expect({ groups, memory: maxLimits.memoryBytes }).toEqual({
      groups: ["students"],
      memory: 512 * 1024 ** 2,
    });
    await api.restart();
    expect(api.users.list()).toMatchObject([{ name: "ann", groups: ["students"] }]);
  });

  it("uses state, nonce and PKCE, and keeps them in a sealed cookie until the return", async () => {
    const answer = await browser.ask(`${origin()}/v1/session/oidc`);
    expect(answer.status).toBe(303);
    const asked = new URL(answer.headers.get("location") ?? "").searchParams;
    expect(Object.fromEntries(asked)).toMatchObject({
      client_id: "berth",
      response_type: "code",
      code_challenge_method: "S256",
      redirect_uri: `${origin()}/v1/session/oidc/callback`,
    });
    const set = answer.headers.get("set-cookie") ?? "";
    expect(set).toMatch(
      /^berth_oidc=Fe26\.2\*[^;]*; Max-Age=600; Path=\/; HttpOnly; SameSite=Lax$/,
    );
    for (const name of ["state", "nonce"]) {
      expect(asked.get(name)?.length, name).toBeGreaterThan(20);
      expect(set).not.toContain(asked.get(name));
    }
    await signIn();
    expect([...browser.cookies(origin()).keys()]).toEqual(["berth_session"]);
  });

  it("makes admins of those in the groups for it, as long as they are in them", async () => {
    provider.people.set("17", { preferred_username: "ann", groups: ["ops"] });
    expect(await signIn()).toMatchObject({ role: "admin" });
    expect((await browser.ask(`${origin()}/v1/users`)).status).toBe(200);
    provider.people.set("17", { preferred_username: "ann", groups: ["staff"] });
    // Another browser: this one is known to the provider still, with what it was told then.
    expect(await signIn("17", new FakeBrowser())).toMatchObject({ role: "user" });
    expect((await browser.ask(`${origin()}/v1/users`)).status).toBe(403);
    expect(api.users.list()).toMatchObject([{ groups: ["staff"] }]);
  });

  it("knows somebody by their number there, whatever they are called now", async () => {
    await signIn();
    provider.people.set("17", { preferred_username: "ann-married" });
    expect(await signIn("17", new FakeBrowser())).toMatchObject({ user: "ann" });
    expect(api.users.list()).toHaveLength(1);
  });

  it("finds what root had made for them before they came", async () => {
    await api.asRoot("/v1/sandboxes", { json: { user: "ann" } });
    expect(await signIn()).toMatchObject({ user: "ann" });
    const list = await (await browser.ask(`${origin()}/v1/sandboxes`)).json();
    expect(list).toMatchObject({ sandboxes: [{ user: "ann" }] });
  });
});

describe("nobody signs in by OpenID Connect", () => {
  const refused = async (login: string, tab = new FakeBrowser()) => {
    const told = await signIn(login, tab);
    expect(told.signedIn).toBe(false);
    // Told once: a reload does not bring it back.
    const again = session.parse(await (await tab.ask(`${origin()}/v1/session`)).json());
    expect(again.problem).toBeUndefined();
    return told.problem;
  };

  it("as somebody who has a token, or is an admin, here", async () => {
    await api.users.add("ann", "admin");
    expect(await refused("17")).toMatchObject({
      code: "SIGN_IN_REFUSED",
      detail: expect.stringContaining("ann is taken") as string,
    });
    expect(api.users.list()).toMatchObject([{ name: "ann", role: "admin", groups: [] }]);
  });

  it("as one who has a token, unless the operator says that names are the same people", async () => {
    await api.users.add("ann", "admin");
    await api.stop();
    const { issuer, clientId } = provider;
    const oidc = { issuer, clientId, linkLocalUsers: true };
    expect(parseConfig({ signIn: { oidc } }, "test").signIn.oidc?.linkLocalUsers).toBe(true);
    api = await TestApi.start();
    const { token } = await api.users.add("ann", "admin");
    const identity = { oidc: { issuer, subject: "17" }, name: "ann", groups: [], isAdmin: false };
    await expect(api.users.admit(identity)).rejects.toMatchObject({ code: "SIGN_IN_REFUSED" });
    const linked = await api.users.admit(identity, { linkLocalUsers: true });
    expect(linked).toMatchObject({ name: "ann", role: "admin", hasToken: true });
    expect(await api.users.authenticate(token)).toMatchObject({ name: "ann" });
  });

  it("as somebody else who came from there", async () => {
    await signIn();
    provider.people.set("18", { preferred_username: "ann" });
    expect(await refused("18")).toMatchObject({ code: "SIGN_IN_REFUSED" });
  });

  it.each([undefined, "", "<script>", "root:x", "-", "ünal", "x".repeat(40), 7])(
    "under a name that is none here (%j)",
    async (name) => {
      provider.people.set("19", { preferred_username: name as string });
      expect(await refused("19")).toMatchObject({ code: "SIGN_IN_REFUSED" });
      expect(api.users.list()).toEqual([]);
    },
  );

  it.each(["code", "state"])("with another %s than theirs", async (what) => {
    const back = (url: string) => url.startsWith(`${origin()}/v1/session/oidc/callback`);
    const { url } = await browser.go(`${origin()}/v1/session/oidc`, "17", back);
    const changed = new URL(url);
    changed.searchParams.set(what, "x".repeat(43));
    const answer = await browser.ask(changed.href);
    expect([answer.status, answer.headers.get("location")]).toEqual([303, "/"]);
    expect((await browser.ask(`${origin()}/v1/me`)).status).toBe(401);
  });

  it("by a link that another has prepared, nor twice by their own", async () => {
    const back = (url: string) => url.startsWith(`${origin()}/v1/session/oidc/callback`);
    const { url } = await browser.go(`${origin()}/v1/session/oidc`, "17", back);
    const victim = new FakeBrowser();
    await victim.ask(url);
    expect(await (await victim.ask(`${origin()}/v1/session`)).json()).toMatchObject({
      signedIn: false,
      problem: { code: "SIGN_IN_REFUSED" },
    });
    await browser.ask(url);
    expect((await browser.ask(`${origin()}/v1/me`)).status).toBe(200);
    browser.cookies(origin()).clear();
    await browser.ask(url);
    expect((await browser.ask(`${origin()}/v1/me`)).status).toBe(401);
  });

  it("who took longer than ten minutes", async () => {
    const back = (url: string) => url.startsWith(`${origin()}/v1/session/oidc/callback`);
    const { url } = await browser.go(`${origin()}/v1/session/oidc`, "17", back);
    api.berth.later(10 * 60_000);
    await browser.ask(url);
    expect((await browser.ask(`${origin()}/v1/me`)).status).toBe(401);
  });

  it("who was not let in there", async () => {
    const answer = await browser.ask(`${origin()}/v1/session/oidc`);
    const state = new URL(answer.headers.get("location") ?? "").searchParams.get("state") ?? "";
    const query = new URLSearchParams({ error: "access_denied", state, iss: provider.issuer });
    await browser.ask(`${origin()}/v1/session/oidc/callback?${query.toString()}`);
    const told = await (await browser.ask(`${origin()}/v1/session`)).json();
    expect(told).toMatchObject({
      problem: { detail: expect.stringContaining("let you in") as string },
    });
  });

  it("while the provider is away", async () => {
    provider.isAway = true;
    const told = await signIn();
    expect(told).toMatchObject({ signedIn: false, problem: { code: "PROVIDER_UNREACHABLE" } });
  });

  it("where it is not set up", async () => {
    await api.stop();
    api = await TestApi.start();
    for (const path of ["/v1/session/oidc", "/v1/session/oidc/callback?code=x&state=y"])
      expect((await problemIn(await api.fetch(path))).code).toBe("SIGN_IN_REFUSED");
  });
});

describe("the provider's secret", () => {
  it("is in no log, no answer and no configuration that is printed", async () => {
    await signIn();
    provider.people.set("20", { preferred_username: "<script>" });
    await signIn("20", new FakeBrowser());
    const { issuer } = provider;
    expect(api.logged.join("")).not.toContain(provider.clientSecret);
    const page = await (await browser.ask(`${origin()}/v1/session`)).text();
    expect(page).not.toContain(provider.clientSecret);
    const { headers } = await browser.ask(`${origin()}/`);
    expect(headers.get("content-security-policy")).toContain(`form-action 'self' ${issuer};`);
  });
});
