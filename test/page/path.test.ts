import { describe, expect, it } from "vitest";
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

const world = useBerth();

describe("from the sign-in to a connection", () => {
  it("needs a password, one press, and a download", async () => {
    const { tab, faults } = await world.open();
    await heading(tab, "Sign in").waitFor();
    await takePictures(tab, "sign-in");
    await signInByPassword(tab, "alice", "wrong");
    await tab.getByText("Name or password is wrong").waitFor();
    await signInByPassword(tab, "alice", "correct horse");
    await tab.getByText("No sandbox yet.").waitFor();
    await takePictures(tab, "empty");

    world.api.stepMs = 150;
    await tab.getByRole("button", { name: "Make a sandbox" }).click();
    await heading(tab, "default").waitFor();
    await tab.getByRole("listitem").filter({ hasText: "150" }).first().waitFor();
    await takePictures(tab, "creating");
    await said(tab, "default is ready.");
    await tab.getByText("made in 1.50").waitFor();

    const download = tab.waitForEvent("download");
    await tab.getByRole("button", { name: "Download bundle" }).click();
    expect((await download).suggestedFilename()).toBe("berth-alice-default.zip");
    const lines = panel(tab, "Connect").locator("pre:visible");
    expect(await lines.textContent()).toContain("docker context import alice");
    await tab.getByRole("tab", { name: "PowerShell" }).click();
    expect(await lines.textContent()).toContain("Expand-Archive");
    for (const name of ["Compose", "VS Code", "bash, zsh"]) {
      await tab.getByRole("tab", { name }).click();
      await tab.getByRole("tabpanel", { name }).getByRole("button", { name: "Copy" }).waitFor();
    }
    await tab.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await tab.getByRole("button", { name: "Copy the lines for bash, zsh" }).click();
    await said(tab, "Copied");
    expect(await tab.evaluate("navigator.clipboard.readText()")).toContain(
      ". ./berth-alice-default/env.sh",
    );
    expect(faults).toEqual([]);
  });

  it("sends no changing request without the header that other sites cannot send", async () => {
    const { tab } = await world.open();
    await signInByPassword(tab, "alice", "correct horse");
    await tab.getByRole("button", { name: "Make a sandbox" }).click();
    await tab.getByRole("button", { name: "Download bundle" }).waitFor();
    expect(world.api.changes).toEqual([
      { what: "POST /v1/session", body: { user: "alice", password: "correct horse" } },
      { what: "POST /v1/sandboxes", body: { name: "default" } },
    ]);
    expect(await tab.evaluate("sessionStorage.getItem('berth.token')")).toBe(null);
  });

  it("goes by a provider and back to where one was", async () => {
    world.api.sessions.methods = [
      { kind: "oidc", label: "the university", url: "/v1/session/oidc" },
    ];
    world.api.sessions.oidcUser = { user: "bob", role: "user" };
    const title = "Not let in";
    world.api.sessions.problem = { title, detail: "You are in no group.", code: "NOT_ADMITTED" };
    const { tab, faults } = await world.open("/new");
    await tab.getByRole("alert").getByText("You are in no group.").waitFor();
    await tab.reload();
    await heading(tab, "Sign in").waitFor();
    expect(await tab.getByText("You are in no group.").count()).toBe(0);
    await takePictures(tab, "sign-in-oidc");
    await expectNoBarriers(tab, "sign-in by a provider");
    await tab.getByRole("link", { name: "Sign in with the university" }).click();
    await heading(tab, "New sandbox").waitFor();
    await tab.getByText("bob", { exact: true }).waitFor();
    expect(faults).toEqual([]);
  });

  it("signs out, and keeps nothing of the user", async () => {
    world.api.add({ user: "alice" });
    const { tab, faults } = await world.open("/new", "alice-token");
    await tab.getByLabel("Name", { exact: true }).fill("mine");
    await tab.getByRole("button", { name: "Sign out" }).click();
    await heading(tab, "Sign in").waitFor();
    expect(await tab.evaluate("sessionStorage.length")).toBe(0);
    await tab.reload();
    await heading(tab, "Sign in").waitFor();
    expect(faults).toEqual([]);
  });

  it("works with a Berth that knows tokens only", async () => {
    world.api.sessions.enabled = false;
    const { tab, faults } = await world.open("", "no-such-token");
    await tab.getByRole("alert").getByText("This token does not work").waitFor();
    await tab.getByLabel("Your token").fill("alice-token");
    await tab.getByRole("button", { name: "Sign in" }).click();
    await tab.getByText("No sandbox yet.").waitFor();
    await tab.reload();
    await tab.getByText("No sandbox yet.").waitFor();
    await tab.getByRole("button", { name: "Sign out" }).click();
    await tab.getByLabel("Your token").waitFor();
    expect(await tab.evaluate("sessionStorage.length")).toBe(0);
    expect(faults).toEqual([]);
  });
});

describe("a sandbox of one's own", () => {
  it("is asked for with settings, which a reload keeps", async () => {
    const { tab, faults } = await world.open("/new", "alice-token");
    await tab.getByLabel("Profile").selectOption({ label: "databases (not ready)" });
    await tab.getByText("berth image build databases").waitFor();
    await expectNoBarriers(tab, "a profile that is not ready");
    await tab.getByLabel("Profile").selectOption("kernel");
    await tab.getByText("can become root on the").waitFor();
    await tab.getByLabel("Name", { exact: true }).fill("lab");
    await tab.getByLabel("Memory").fill("1Q");
    await tab.reload();
    expect(await tab.getByLabel("Name", { exact: true }).inputValue()).toBe("lab");
    expect(await tab.getByLabel("Profile").inputValue()).toBe("kernel");
    await takePictures(tab, "new");
    await tab.getByRole("button", { name: "Make this sandbox" }).click();
    await tab.getByText('"1Q" is no size').waitFor();
    expect(await tab.evaluate("document.activeElement.id")).toBe("new-memory");
    await tab.getByLabel("Memory").fill("2G");
    await tab.getByRole("button", { name: "Make this sandbox" }).click();
    await heading(tab, "lab").waitFor();
    expect(world.api.changes.at(-1)?.body).toEqual({
      profile: "kernel",
      name: "lab",
      memory: "2G",
    });
    await tab.goto(`${world.url}/new`);
    expect(await tab.getByLabel("Memory").inputValue()).toBe("");
    expect(faults).toEqual([]);
  });

  it("gets more time, other limits and new certificates", async () => {
    const { id } = world.api.add({ user: "alice" });
    const { tab, faults } = await world.open(`/sandboxes/${id}`, "alice-token");
    const time = panel(tab, "Time");
    await time
      .getByRole("timer")
      .getByText(/^(23:59|24:00):\d\d$/)
      .waitFor();
    await time.getByText(/Up to 1 d more, until \w+ \d\d:\d\d at the latest/).waitFor();
    await time.getByLabel("More time").selectOption("4h");
    await time.getByRole("button", { name: "Add 4 hours" }).click();
    await said(tab, "default has 4 hours more.");
    await time.getByText(/^1 d 0?3:59:\d\d$/).waitFor();

    await panel(tab, "In use").getByText("Change the limits").click();
    await tab.getByLabel("Memory").last().fill("2G");
    await tab.getByRole("button", { name: "Change", exact: true }).click();
    await said(tab, "The limits are changed.");
    await panel(tab, "In use").getByText("of 2 GiB").first().waitFor();

    const certificate = panel(tab, "Certificate");
    await certificate.getByText("(4 h 59 min)").waitFor();
    const download = tab.waitForEvent("download");
    await certificate.getByRole("button", { name: "New certificate" }).click();
    await download;
    await certificate.getByText("2 are valid in all").waitFor();
    expect(faults).toEqual([]);
  });

  it("shows its ports, containers and use, and how safely it is held", async () => {
    const { id, ports } = world.api.add({ user: "alice" });
    const { tab, faults } = await world.open(`/sandboxes/${id}`, "alice-token");
    const link = panel(tab, "Published ports").getByRole("link", { name: String(ports.from) });
    expect(await link.getAttribute("href")).toBe(`http://127.0.0.1:${ports.from}`);
    await panel(tab, "Published ports").getByText("web", { exact: true }).waitFor();
    await panel(tab, "Containers inside").getByText("<b>db</b>").waitFor();
    const memory = tab.getByRole("img", { name: /^Memory: .* of 1 GiB. At most \d/ });
    await memory.waitFor();
    expect(await memory.locator(".line").getAttribute("d")).toMatch(/^M.*L/);
    await tab.getByRole("button", { name: "Check now" }).click();
    await tab.getByText("All checks are passed.").waitFor();
    await takePictures(tab, "ready");
    await expectNoBarriers(tab, "a sandbox");
    expect(faults).toEqual([]);
  });

  it("is removed once its user has said so twice", async () => {
    const { id } = world.api.add({ user: "alice" });
    const { tab, faults } = await world.open("", "alice-token");
    await card(tab, "default").getByRole("link", { name: "default" }).click();
    await tab.getByRole("button", { name: "Remove this sandbox" }).click();
    await takePictures(tab, "remove");
    await expectNoBarriers(tab, "the question before a removal");
    await tab.getByRole("button", { name: "Keep it" }).click();
    expect(world.api.kept.has(id)).toBe(true);
    await tab.getByRole("button", { name: "Remove this sandbox" }).click();
    await tab.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
    await tab.getByText("No sandbox yet.").waitFor();
    await said(tab, "default is removed.");
    expect(world.api.kept.has(id)).toBe(false);
    expect(faults).toEqual([]);
  });

  it("is not shown to anybody else", async () => {
    const { id } = world.api.add({ user: "bob", name: "secret" });
    const { tab } = await world.open(`/sandboxes/${id}`, "alice-token");
    await heading(tab, "No such sandbox").waitFor();
    expect(await tab.content()).not.toContain("secret");
    await tab.goto(`${world.url}/admin/users`);
    await heading(tab, "For admins only").waitFor();
  });
});
