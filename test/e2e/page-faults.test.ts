import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { PageApi } from "../fakes/page-api.js";
import { card, openTab, signIn, startChromium, takePictures } from "./page-browser.js";

// What a real Berth does not show on demand, so against the fake: trouble, and how the page tells it.

let browser: Browser;
let api: PageApi;
let url: string;

beforeAll(async () => {
  browser = await startChromium();
});
afterAll(() => browser.close());

beforeEach(async () => {
  api = new PageApi();
  api.tokens.set("alice-token", { user: "alice", role: "user" });
  api.tokens.set("root-token", { role: "admin" });
  url = await api.start();
});
afterEach(async () => {
  await Promise.all(browser.contexts().map((context) => context.close()));
  await api.stop();
});

describe("the page in trouble", () => {
  it("tells why a creation failed, keeps it over a reload, and lets go of it", async () => {
    const { tab, faults } = await openTab(browser, url);
    await signIn(tab, "alice-token");
    api.failingStep = "start";
    await tab.getByRole("button", { name: "Get a sandbox" }).click();
    const failed = card(tab, "default");
    await failed.getByText("<b>no space left</b> on /data").waitFor();
    await failed.getByRole("listitem").filter({ hasText: "Start the Docker Engine" }).waitFor();
    await takePictures(tab, "failed");
    await tab.reload();
    await failed.getByText("ENGINE_START_FAILED").waitFor();
    await failed.getByRole("button", { name: "Dismiss" }).click();
    await tab.getByText("No sandbox yet.").waitFor();
    expect(faults).toEqual([]);
  });

  it("says that the connection is lost, and goes on where it was once it is back", async () => {
    const { tab, faults } = await openTab(browser, url);
    await signIn(tab, "alice-token");
    api.stepMs = 400;
    await tab.getByRole("button", { name: "Get a sandbox" }).click();
    await card(tab, "default").getByRole("listitem").getByText("400 ms").first().waitFor();
    const { port } = new URL(url);
    await api.stop();
    await tab.getByText("Connection to Berth lost, trying again").waitFor();
    await takePictures(tab, "lost");
    await api.start(Number(port));
    await card(tab, "default").getByText("ready", { exact: true }).waitFor();
    await vi.waitFor(async () => {
      expect(await tab.locator("#offline").textContent()).toBe("");
    }, 5000);
    expect(faults.filter((fault) => !fault.includes("ERR_"))).toEqual([]);
  });

  it("warns when a sandbox has less than 15 minutes left, until it gets more", async () => {
    const expiresAt = new Date(Date.now() + 14 * 60_000).toISOString();
    api.add({ user: "alice", expiresAt });
    const { tab, faults } = await openTab(browser, url);
    await signIn(tab, "alice-token");
    const clock = card(tab, "default").locator(".clock");
    await clock.getByText(/^0:13:\d\d$/).waitFor();
    expect(await clock.getAttribute("class")).toBe("clock soon");
    await takePictures(tab, "soon");
    await tab.getByRole("button", { name: "Add 2 hours" }).click();
    await clock.getByText(/^2:13:\d\d$/).waitFor();
    expect(await clock.getAttribute("class")).toBe("clock");
    expect(faults).toEqual([]);
  });

  it("tells what limits did to a sandbox, hostile process names as they are, and announces news", async () => {
    const at = new Date().toISOString();
    const killed = { kind: "memory", text: "<img src=x> was killed", at, count: 3 } as const;
    const { id } = api.add({ user: "alice", incidents: [killed] });
    const { tab, faults } = await openTab(browser, url);
    await signIn(tab, "alice-token");
    await card(tab, "default").getByText("<img src=x> was killed (3 times)").waitFor();
    expect(await tab.getByRole("log").getByText("was killed").count()).toBe(0);
    await takePictures(tab, "happened");
    const kept = api.kept.get(id);
    if (!kept) throw new Error("the fake has lost its sandbox");
    const later = new Date(Date.now() + 1).toISOString();
    const full = { kind: "disk", text: "the disk is full", at: later, count: 1 } as const;
    kept.sandbox = { ...kept.sandbox, incidents: [killed, full] };
    await tab
      .getByRole("log")
      .getByText("default: the disk is full")
      .waitFor({ state: "attached" });
    await card(tab, "default").getByText("the disk is full").waitFor();
    expect(faults).toEqual([]);
  });

  it("says what the server said when there is no more time to add", async () => {
    const expiresAt = new Date(Date.now() + 47 * 3_600_000).toISOString();
    api.add({ user: "alice", expiresAt });
    const { tab } = await openTab(browser, url);
    await signIn(tab, "alice-token");
    await tab.getByRole("button", { name: "Add 2 hours" }).click();
    await card(tab, "default").getByText("A sandbox lasts 48h at most.").waitFor();
  });

  it("puts a fault of the form to its field", async () => {
    const { tab } = await openTab(browser, url);
    await signIn(tab, "alice-token");
    await tab.getByText("More settings").click();
    const memory = tab.getByLabel("Memory");
    await memory.fill("1Q");
    await takePictures(tab, "form");
    await tab.getByRole("button", { name: "Get a sandbox" }).click();
    await tab.locator("#field-memory-fault").getByText('"1Q" is no size').waitFor();
    expect(await memory.getAttribute("aria-invalid")).toBe("true");
    expect(await tab.evaluate("document.activeElement.id")).toBe("field-memory");
  });

  it("goes back to the sign-in when the token ends, and keeps nothing", async () => {
    api.add({ user: "alice" });
    const { tab } = await openTab(browser, url);
    await signIn(tab, "alice-token");
    await card(tab, "default").waitFor();
    api.tokens.delete("alice-token");
    await tab.getByRole("button", { name: "Add 2 hours" }).click();
    await tab.getByText("You are signed out").waitFor();
    expect(await tab.evaluate("sessionStorage.length")).toBe(0);
    expect(await tab.getByRole("article").count()).toBe(0);
  });

  it("shows an admin whose each sandbox is, and hostile names as they are", async () => {
    const name = `<img src=x onerror="alert(1)">\u202egnol${"y".repeat(200)}`;
    api.add({ user: "mallory", name });
    api.add({ user: "alice", state: "stopped", reason: "Out of memory: dockerd was killed." });
    const { tab, faults } = await openTab(browser, url);
    await signIn(tab, "root-token");
    await card(tab, "alice/default").getByText("Out of memory").waitFor();
    await tab.getByRole("article").filter({ hasText: "<img src=x" }).waitFor();
    await takePictures(tab, "admin");
    await tab.getByLabel("For user").fill("bob");
    await tab.getByRole("button", { name: "Get a sandbox" }).click();
    await card(tab, "bob/default").getByText("ready", { exact: true }).waitFor();
    expect(faults).toEqual([]);
  });
});
