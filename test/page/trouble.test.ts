import { describe, expect, it, vi } from "vitest";
import type { Page } from "playwright-core";
import {
  card,
  expectNoBarriers,
  heading,
  panel,
  said,
  signInByPassword,
  takePictures,
} from "./browser.js";
import { useBerth } from "./support.js";

// What a real Berth does not show on demand: trouble, and how the page tells it.

const world = useBerth();
const minuteMs = 60_000;

describe("a creation that goes wrong", () => {
  it("is told with its reason, over a reload too, until it is dismissed", async () => {
    const { tab, faults } = await world.open("", "alice-token");
    world.api.failingStep = "start";
    await tab.getByRole("button", { name: "Make a sandbox" }).click();
    await tab.getByText("<b>no space left</b> on /data").waitFor();
    await tab.getByRole("listitem").filter({ hasText: "Start the Docker Engine failed" }).waitFor();
    await takePictures(tab, "failed");
    await expectNoBarriers(tab, "a failed creation");
    await tab.reload();
    await tab.getByText("ENGINE_START_FAILED").waitFor();
    await tab.getByRole("link", { name: "My sandboxes", exact: true }).click();
    await card(tab, "default").getByRole("button", { name: "Dismiss" }).click();
    await tab.getByText("No sandbox yet.").waitFor();
    expect(faults).toEqual([]);
  });

  it("goes on where it was after a lost connection, and says so", async () => {
    const { tab, faults } = await world.open("", "alice-token");
    world.api.stepMs = 400;
    await tab.getByRole("button", { name: "Make a sandbox" }).click();
    await tab.getByRole("listitem").getByText("400").first().waitFor();
    const { port } = new URL(world.url);
    await world.api.stop();
    await tab.getByText("Connection to Berth lost, trying again").waitFor();
    await takePictures(tab, "lost");
    await expectNoBarriers(tab, "a lost connection");
    await world.api.start(Number(port));
    await tab.getByRole("button", { name: "Download bundle" }).waitFor();
    await vi.waitFor(async () => {
      expect(await tab.locator("#offline").textContent()).toBe("");
    }, 5000);
    await said(tab, "Connected again.");
    expect(faults.filter((fault) => !fault.includes("ERR_"))).toEqual([]);
  });

  it("waits for a server that is not there yet when the page is loaded", async () => {
    const { tab } = await world.open("", "alice-token");
    await tab.getByText("No sandbox yet.").waitFor();
    await tab.route("**/v1/session", (route) => route.abort());
    await tab.reload();
    await tab.getByText("Connection to Berth lost, trying again").waitFor();
    await tab.unroute("**/v1/session");
    await tab.getByText("No sandbox yet.").waitFor();
  });
});

describe("time that runs out", () => {
  it("is warned of 15 minutes before the end, by a clock that is held", async () => {
    const now = Date.now();
    const { id } = world.api.add({
      user: "alice",
      createdAt: new Date(now - 60 * minuteMs).toISOString(),
      expiresAt: new Date(now + 16 * minuteMs).toISOString(),
    });
    const { tab, faults } = await world.open();
    await tab.clock.install({ time: now });
    await signInByPassword(tab, "alice", "correct horse");
    const timer = card(tab, "default").getByRole("timer");
    await timer.getByText(/^0:1[56]:\d\d$/).waitFor();
    await tab.clock.runFor(1000);
    expect(await card(tab, "default").getAttribute("class")).toContain("calm");

    world.api.aheadMs = 2 * minuteMs;
    await tab.clock.runFor(2 * minuteMs);
    await timer.getByText(/^0:1[34]:\d\d$/).waitFor();
    await said(tab, "default ends in less than 15 minutes.");
    expect(await card(tab, "default").getAttribute("class")).toContain("soon");
    await takePictures(tab, "soon");

    await tab.goto(`${world.url}/sandboxes/${id}`);
    await tab.getByText("Then everything in it is deleted").waitFor();
    expect(await tab.title()).toMatch(/^1[34] min: default/);
    await takePictures(tab, "soon-sandbox");
    await expectNoBarriers(tab, "a sandbox near its end");
    await tab.getByRole("button", { name: "Add 2 hours" }).click();
    await panel(tab, "Time")
      .getByRole("timer")
      .getByText(/^2:1[34]:\d\d$/)
      .waitFor();
    expect(await tab.getByText("Then everything in it is deleted").count()).toBe(0);
    expect(faults).toEqual([]);
  });

  it("says so when there is no more to be had, and repeats what the server says", async () => {
    const whole = world.api.add({
      user: "alice",
      name: "whole",
      expiresAt: new Date(Date.now() + 48 * 60 * minuteMs).toISOString(),
    });
    const { tab } = await world.open(`/sandboxes/${whole.id}`, "alice-token");
    await tab.getByText("It has as much time as it may have").waitFor();
    const other = world.api.add({
      user: "alice",
      name: "other",
      expiresAt: new Date(Date.now() + 47 * 60 * minuteMs).toISOString(),
      ...{ maxTtlMs: 50 * 60 * minuteMs },
    });
    await tab.goto(`${world.url}/sandboxes/${other.id}`);
    await tab.getByRole("button", { name: "Add 2 hours" }).click();
    await tab.getByText("A sandbox lasts 48h at most.").waitFor();
  });

  it("is told when it was up, or somebody has removed the sandbox", async () => {
    const { id } = world.api.add({ user: "alice" });
    const { tab } = await world.open(`/sandboxes/${id}`, "alice-token");
    await heading(tab, "default").waitFor();
    await fetch(`${world.url}/v1/sandboxes/${id}`, {
      method: "DELETE",
      headers: { authorization: "Bearer root-token", "x-berth-request": "1" },
    });
    await heading(tab, "This sandbox is gone").waitFor();
  });
});

describe("what limits did", () => {
  it("is told in words, hostile process names as they are, and news are announced", async () => {
    const at = new Date().toISOString();
    const killed = { kind: "memory", text: "<img src=x> was killed", at, count: 3 } as const;
    const { id } = world.api.add({ user: "alice", incidents: [killed] });
    const { tab, faults } = await world.open(`/sandboxes/${id}`, "alice-token");
    await panel(tab, "What happened").getByText("<img src=x> was killed (3 times)").waitFor();
    expect(await tab.getByRole("log").getByText("was killed").count()).toBe(0);
    const later = new Date(Date.now() + 1).toISOString();
    const full = { kind: "disk", text: "the disk is full", at: later, count: 1 } as const;
    world.api.change(id, { incidents: [killed, full] });
    await said(tab, "default: the disk is full");
    await panel(tab, "What happened").getByText("the disk is full").waitFor();
    await takePictures(tab, "happened");
    expect(faults).toEqual([]);
  });
});

/** The page may learn it by itself a moment before, and then has the button behind its question. */
async function endedBeforePress(tab: Page, button: string): Promise<void> {
  const handle = await tab.getByRole("button", { name: button }).elementHandle();
  world.api.sessions.endAll();
  await handle.dispatchEvent("click");
}

describe("a session that ends", () => {
  it("loses nothing that was typed, once the same user is back", async () => {
    const { tab, faults } = await world.open("/new");
    await signInByPassword(tab, "alice", "correct horse");
    // The sign-in has a field of this name too.
    await heading(tab, "New sandbox").waitFor();
    await tab.getByLabel("Name", { exact: true }).fill("precious");
    await endedBeforePress(tab, "Make this sandbox");
    const dialog = tab.getByRole("dialog", { name: "You are signed out" });
    await dialog.waitFor();
    await takePictures(tab, "signed-out");
    await expectNoBarriers(tab, "an expired session");
    expect(await dialog.getByLabel("Name").inputValue()).toBe("alice");
    // The name is known, so the focus is on the password.
    await tab.keyboard.type("correct horse");
    await tab.keyboard.press("Enter");
    await dialog.waitFor({ state: "detached" });
    expect(await tab.getByLabel("Name", { exact: true }).inputValue()).toBe("precious");
    await tab.getByRole("button", { name: "Make this sandbox" }).click();
    await heading(tab, "precious").waitFor();
    expect(faults).toEqual([]);
  });

  it("leaves nothing to somebody else", async () => {
    world.api.sessions.addUser("bob", "battery staple");
    world.api.add({ user: "alice", name: "hers" });
    const { tab } = await world.open("/new");
    await signInByPassword(tab, "alice", "correct horse");
    // The sign-in has a field of this name too.
    await heading(tab, "New sandbox").waitFor();
    await tab.getByLabel("Name", { exact: true }).fill("precious");
    await endedBeforePress(tab, "Make this sandbox");
    const dialog = tab.getByRole("dialog", { name: "You are signed out" });
    await dialog.getByLabel("Name").fill("bob");
    await dialog.getByLabel("Password").fill("battery staple");
    await tab.keyboard.press("Enter");
    await dialog.waitFor({ state: "detached" });
    expect(await tab.getByLabel("Name", { exact: true }).inputValue()).toBe("");
    expect(await tab.evaluate("JSON.stringify(sessionStorage)")).not.toContain("precious");
  });
});

describe("hostile names", () => {
  it("are shown as they are, wherever they are", async () => {
    const name = `<img src=x onerror="alert(1)">\u202egnol${"y".repeat(200)}`;
    const { id } = world.api.add({ user: "alice", name, profile: "<script>alert(1)</script>" });
    const { tab, faults } = await world.open("", "alice-token");
    await tab.getByRole("article").filter({ hasText: "<img src=x" }).waitFor();
    await takePictures(tab, "hostile-list");
    await tab.goto(`${world.url}/sandboxes/${id}`);
    await tab.getByRole("heading", { level: 1 }).filter({ hasText: "<img src=x" }).waitFor();
    await takePictures(tab, "hostile");
    expect(await tab.locator("img[src=x], main script").count()).toBe(0);
    expect(faults).toEqual([]);
  });
});

describe("an older Berth", () => {
  it("leaves out what it does not know, and nothing else", async () => {
    world.api.lacks.push("/usage/history", "/containers", "/certificates");
    const { id } = world.api.add({ user: "alice" });
    const { tab, faults } = await world.open(`/sandboxes/${id}`, "alice-token");
    await panel(tab, "In use").getByText("of 1 GiB").first().waitFor();
    await tab.getByRole("button", { name: "New certificate" }).waitFor();
    expect(await panel(tab, "Containers inside").count()).toBe(0);
    expect(await tab.getByRole("alert").filter({ hasText: /./ }).count()).toBe(0);
    expect(faults).toEqual([]);
  });
});
