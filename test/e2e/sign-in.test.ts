import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Agent, fetch as fetchWith } from "undici";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { session } from "../../src/lib/contract/session.js";
import { userList } from "../../src/lib/contract/user.js";
import { heading, openTab, startChromium } from "../page/browser.js";
import { FakeBrowser, FakeProvider } from "../fakes/provider.js";
import { OwnDaemon } from "./own-daemon.js";
import { ok, problemOf } from "./support.js";

// What the provider has to say of being run in a test.
vi.spyOn(console, "warn").mockImplementation(() => undefined);
vi.spyOn(console, "info").mockImplementation(() => undefined);

const password = "correct horse battery";
const mark = { "x-berth-request": "1" };
const json = (body: object) => ({
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});

let daemon: OwnDaemon;
let provider: FakeProvider;
let url: string;

beforeAll(async () => {
  provider = await FakeProvider.start();
  provider.people.set("17", { preferred_username: "si-olga", groups: ["si-students", "si-ops"] });
  daemon = await OwnDaemon.reserve();
  url = `http://127.0.0.1:${daemon.port}`;
  provider.register(`${url}/v1/session/oidc/callback`);
  const clientSecretFile = join(daemon.dir, "secret");
  await writeFile(clientSecretFile, provider.clientSecret, { mode: 0o600 });
  const { issuer, clientId } = provider;
  const oidc = { issuer, clientId, clientSecretFile, adminGroups: ["si-ops"] };
  await daemon.start({
    signIn: { oidc, proxy: { header: "Remote-User", from: ["127.0.0.2"] } },
    groups: { "si-students": { sandboxesPerUser: 1 } },
  });
  ok(
    await daemon.berth(["user", "add", "si-pia", "--password", "--group", "si-students"], password),
  );
});
afterAll(async () => {
  await daemon.remove();
  provider.stop();
});

const sessionOf = async (browser: FakeBrowser) =>
  session.strict().parse(await (await browser.ask(`${url}/v1/session`)).json());

async function signedIn(): Promise<FakeBrowser> {
  const browser = new FakeBrowser();
  const answer = await browser.ask(`${url}/v1/session`, json({ user: "si-pia", password }));
  expect(answer.status).toBe(200);
  return browser;
}

describe("a password", () => {
  it("given on stdin signs in on the page, and lets in until the user signs out", async () => {
    const browser = await signedIn();
    expect(await sessionOf(browser)).toMatchObject({
      signedIn: true,
      user: "si-pia",
      role: "user",
    });
    const me = await (await browser.ask(`${url}/v1/me`)).json();
    expect(me).toMatchObject({ user: "si-pia", groups: ["si-students"], sandboxesPerUser: 1 });
    const cookies = new Map(browser.cookies(url));
    const out = await browser.ask(`${url}/v1/session`, { method: "DELETE", headers: mark });
    expect(out.status).toBe(204);
    expect(browser.cookies(url).size).toBe(0);
    for (const [name, value] of cookies) browser.cookies(url).set(name, value);
    expect((await browser.ask(`${url}/v1/me`)).status).toBe(401);
  });

  it("that is set anew by the command line ends the sessions there were", async () => {
    const browser = await signedIn();
    ok(await daemon.berth(["user", "password", "si-pia"], "another one for pia\n"));
    expect((await browser.ask(`${url}/v1/me`)).status).toBe(401);
    ok(await daemon.berth(["user", "password", "si-pia"], `${password}\n`));
  });

  it("that is guessed is not listened to for long; users without one are not told apart", async () => {
    const guess = (user: string) =>
      new FakeBrowser().ask(`${url}/v1/session`, json({ user, password: "wrong wrong wrong" }));
    ok(await daemon.berth(["user", "add", "si-gus", "--password"], password));
    const [known, unknown] = [
      await problemOf(await guess("si-gus")),
      await problemOf(await guess("si-x")),
    ];
    expect(known).toEqual(unknown);
    const answers = await Promise.all(Array.from({ length: 12 }, () => guess("si-gus")));
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(9);
    expect((await problemOf(await guess("si-gus"))).code).toBe("RATE_LIMITED");
    expect(await sessionOf(await signedIn())).toMatchObject({ signedIn: true });
  });
});

describe("a session", () => {
  it("is in a sealed cookie with the flags that keep it, by a key of root's alone", async () => {
    const answer = await fetch(`${url}/v1/session`, json({ user: "si-pia", password }));
    const set = answer.headers.get("set-cookie") ?? "";
    expect(set).toMatch(
      /^berth_session=Fe26\.2\*\*[^;]+; Max-Age=43200; Path=\/; HttpOnly; SameSite=Lax$/,
    );
    expect((await stat(join(daemon.dataDir, "session-key"))).mode & 0o777).toBe(0o600);
  });

  it("does nothing for another site", async () => {
    const browser = await signedIn();
    const path = `${url}/v1/users/si-pia/password`;
    const body = JSON.stringify({ password: "taken over by evil", current: password });
    for (const headers of [
      { "content-type": "text/plain" },
      { ...mark, origin: "https://evil.test" },
      { ...mark, "sec-fetch-site": "cross-site" },
      { "content-type": "application/json", "sec-fetch-site": "same-site" },
    ]) {
      const answer = await browser.ask(path, { method: "PUT", headers: headers as never, body });
      expect(await problemOf(answer)).toMatchObject({ status: 403, code: "CROSS_SITE_REQUEST" });
    }
    const preflight = await browser.ask(path, {
      method: "OPTIONS",
      headers: { origin: "https://evil.test", "access-control-request-method": "PUT" },
    });
    expect(preflight.headers.get("access-control-allow-origin")).toBeNull();
    expect(await sessionOf(await signedIn())).toMatchObject({ signedIn: true });
  });
});

describe("OpenID Connect", () => {
  it("brings somebody there and back, who is added, in their groups, an admin by one of them", async () => {
    const browser = new FakeBrowser();
    const end = await browser.go(`${url}/v1/session/oidc`, "17", (at) => at === `${url}/`);
    expect(end.url).toBe(`${url}/`);
    expect(browser.visited.some((at) => at.startsWith(provider.issuer))).toBe(true);
    expect(await sessionOf(browser)).toMatchObject({
      signedIn: true,
      user: "si-olga",
      role: "admin",
    });
    const { users } = userList.parse(await (await browser.ask(`${url}/v1/users`)).json());
    expect(users.find(({ name }) => name === "si-olga")).toMatchObject({
      hasToken: false,
      hasPassword: false,
      groups: ["si-students"],
    });
  });

  it("is a link on the page, which leads there and back to where one was", async () => {
    const chromium = await startChromium();
    try {
      const { tab, faults } = await openTab(chromium, `${url}/new`);
      // The provider's own page would ask for a font.
      await tab.route(
        ({ hostname }) => hostname !== "127.0.0.1",
        (route) => route.abort(),
      );
      await tab.getByRole("link", { name: "Sign in with OpenID Connect" }).click();
      await tab.waitForURL(`${provider.issuer}/**`);
      await tab.locator("input[name=login]").fill("17");
      await tab.locator("input[name=password]").fill("any");
      await tab.getByRole("button", { name: /sign-in/i }).click();
      await tab.getByRole("button", { name: /continue/i }).click();
      await heading(tab, "New sandbox").waitFor();
      expect(tab.url()).toBe(`${url}/new`);
      await tab.getByText("si-olga").first().waitFor();
      await tab.getByRole("button", { name: "Sign out" }).click();
      await heading(tab, "Sign in").waitFor();
      // That one went to the provider is all there is to remark.
      expect(faults.filter((one) => !one.startsWith("asked another host"))).toEqual([]);
    } finally {
      await chromium.close();
    }
  });

  it("does not make anybody somebody else", async () => {
    provider.people.set("18", { preferred_username: "si-pia" });
    const browser = new FakeBrowser();
    await browser.go(`${url}/v1/session/oidc`, "18", (at) => at === `${url}/`);
    const { signedIn: isIn, problem } = await sessionOf(browser);
    expect({ isIn, code: problem?.code }).toEqual({ isIn: false, code: "SIGN_IN_REFUSED" });
  });
});

describe("a proxy's header", () => {
  /** A connection that comes from this address of loopback. */
  const from = async (localAddress: string) => {
    const dispatcher = new Agent({ localAddress });
    const answer = await fetchWith(`${url}/v1/session`, {
      dispatcher,
      headers: { "remote-user": "si-pat", "x-forwarded-for": "127.0.0.2" },
    });
    const told = session.parse(await answer.json());
    await dispatcher.close();
    return told;
  };

  it("is believed from where the proxy is, and from nowhere else", async () => {
    expect(await from("127.0.0.1")).toMatchObject({ signedIn: false });
    expect(ok(await daemon.berth(["user", "list"]))).not.toContain("si-pat");
    expect(await from("127.0.0.2")).toMatchObject({ signedIn: true, user: "si-pat" });
    expect(ok(await daemon.berth(["user", "list"]))).toContain("si-pat");
  });
});

describe("a secret", () => {
  it("is nowhere but where it belongs: no log, no record, no list, no configuration shown", async () => {
    const config = join(daemon.dir, "berth.yaml");
    const shown = await daemon.berth(["doctor", "--config", config, "--json"]);
    const list = ok(await daemon.berth(["user", "list", "--json"]));
    const written = await daemon.written("users/si-pia.json", "users/si-olga.json");
    const key = (await readFile(join(daemon.dataDir, "session-key"), "utf8")).trim();
    for (const secret of [password, provider.clientSecret, key])
      for (const text of [shown.stdout, list, written]) expect(text).not.toContain(secret);
  });
});

describe("a stream of events", () => {
  it("ends when who reads it signs out elsewhere", async () => {
    const browser = new FakeBrowser();
    await browser.go(`${url}/v1/session/oidc`, "17", (at) => at === `${url}/`);
    const stream = await browser.ask(`${url}/v1/events/stream`);
    expect(stream.status).toBe(200);
    const said = stream.text();
    const out = await browser.ask(`${url}/v1/session`, { method: "DELETE", headers: mark });
    expect(out.status).toBe(204);
    expect(await said).toContain("retry:");
  });
});

describe("HTTPS by a certificate of Berth's own", () => {
  it("is served with its fingerprint told, and cookies that go by HTTPS alone", async () => {
    const own = await OwnDaemon.reserve();
    await own.start({ listen: { tls: "self" } });
    try {
      ok(await own.berth(["user", "add", "si-tia", "--password"], password));
      const pem = await readFile(join(own.dataDir, "https.pem"), "utf8");
      const dispatcher = new Agent({ connect: { ca: pem.slice(pem.indexOf("-----BEGIN CERT")) } });
      const answer = await fetchWith(`https://localhost:${own.port}/v1/session`, {
        ...json({ user: "si-tia", password }),
        dispatcher,
      });
      expect(answer.headers.get("set-cookie")).toMatch(
        /^__Host-berth_session=.*; HttpOnly; Secure; SameSite=Lax$/,
      );
      await dispatcher.close();
      const fingerprint = /([0-9A-F]{2}:){31}[0-9A-F]{2}/.exec(own.log)?.[0];
      expect(fingerprint).toBeDefined();
      const config = join(own.dir, "berth.yaml");
      const said = await own.berth(["doctor", "--config", config, "--json"]);
      expect(said.stdout).toContain(fingerprint);
      expect(said.stdout).toContain(`https://127.0.0.1:${own.port}`);
    } finally {
      await own.remove();
    }
  });
});
