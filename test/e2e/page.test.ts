import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { card, openTab, signIn, startChromium, takePictures } from "./page-browser.js";
import { startedBerth } from "./support.js";

const run = promisify(execFile);

describe("the web page", () => {
  const user = "paige";
  let berth: Awaited<ReturnType<typeof startedBerth>>;
  let browser: Browser;
  let token: string;
  let dir: string;
  let tab: Page;
  let faults: string[];
  let asked: string[];

  beforeAll(async () => {
    berth = await startedBerth();
    browser = await startChromium();
  });
  afterAll(() => browser.close());

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "berth-page-"));
    ({ token } = await berth.addUser(user));
    ({ tab, faults } = await openTab(browser, berth.url));
    asked = [];
    tab.on("request", (request) => asked.push(request.url()));
  });
  afterEach(async () => {
    await tab.context().close();
    await berth.removeUser(user);
    await rm(dir, { recursive: true });
  });

  it("refuses a wrong token in words, and never puts a token into an address", async () => {
    await takePictures(tab, "sign-in");
    await signIn(tab, "no-such-token");
    await tab.getByRole("alert").getByText("This token does not work").waitFor();
    await takePictures(tab, "sign-in-refused");
    await signIn(tab, token);
    await tab.getByText("No sandbox yet.").waitFor();
    await takePictures(tab, "empty");
    for (const address of asked) {
      expect(address).not.toContain(token);
      expect(address).not.toContain("no-such-token");
    }
    await tab.getByRole("button", { name: "Sign out" }).click();
    await tab.getByLabel("Your token").waitFor();
    expect(await tab.evaluate("sessionStorage.length")).toBe(0);
    expect(faults).toEqual([]);
  });

  it("leads from a token to a Docker Engine that answers, and cleans up after", async () => {
    await signIn(tab, token);
    await watchSteps(tab);
    await tab.getByRole("button", { name: "Get a sandbox" }).click();
    const mine = card(tab, "default");
    await mine.getByText("ready", { exact: true }).waitFor();
    const seen = await tab.evaluate<string[]>("window.seenSteps");
    for (const step of seen) expect(step).toMatch(/done\d.*\s(ms|s)$/);
    for (const step of ["Set aside memory", "Make a disk", "Start the Docker", "Wait until"]) {
      expect(seen.join("\n")).toContain(step);
    }
    await mine
      .getByText(/\d of \d+/)
      .first()
      .waitFor();
    await takePictures(tab, "ready");

    const lines = await downloadBundle(mine, dir);
    // What the page says to paste, in the folder of the download, by the user's own docker client.
    const home = { ...process.env, HOME: dir, DOCKER_CONFIG: join(dir, ".docker") };
    const pasted = await run("bash", ["-euc", lines], { cwd: dir, env: home });
    expect(pasted.stdout).toMatch(/Server:/);
    expect((await verifiedVersion(mine, join(dir, `berth-${user}-default`))).stdout).toMatch(
      /^\d+/,
    );

    const before = await timeLeft(mine);
    await mine.getByRole("button", { name: "Add 2 hours" }).click();
    await tab
      .getByRole("log")
      .getByText("default has 2 hours more.")
      .waitFor({ state: "attached" });
    expect((await timeLeft(mine)) - before).toBeGreaterThan(119 * 60);

    const address = await mine.locator("code").first().textContent();
    await tab.reload();
    await mine.getByText("ready", { exact: true }).waitFor();
    expect(await mine.locator("code").first().textContent()).toBe(address);

    await mine.getByRole("button", { name: "Remove" }).click();
    await tab.getByRole("button", { name: "Keep it" }).click();
    await mine.getByRole("button", { name: "Remove" }).click();
    await takePictures(tab, "remove");
    await tab.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
    await tab.getByText("No sandbox yet.").waitFor();
    expect(faults).toEqual([]);
  });

  it("works by keyboard alone and follows a creation on over a reload", async () => {
    await tab.keyboard.type(token);
    await tab.keyboard.press("Enter");
    await tab.getByText("No sandbox yet.").waitFor();
    await tab.getByLabel("Name").focus();
    await tab.keyboard.type("by-hand");
    await tab.keyboard.press("Enter");
    const mine = card(tab, "by-hand");
    await mine.waitFor();
    await tab.reload();
    await mine.getByText("ready", { exact: true }).waitFor();
    await mine.getByRole("tab", { name: "Docker context" }).focus();
    await tab.keyboard.press("ArrowRight");
    await mine.getByRole("tabpanel", { name: "bash, zsh" }).waitFor();
    expect(faults).toEqual([]);
  });
});

/** Collects what each step says once it is done, in `window.seenSteps`: too quick for a look from here. */
async function watchSteps(tab: Page): Promise<void> {
  await tab.evaluate(`
    const seen = new Set();
    window.seenSteps = [];
    new MutationObserver(() => {
      for (const step of document.querySelectorAll(".steps li.done")) {
        if (step.checkVisibility() && !seen.has(step)) window.seenSteps.push(step.textContent);
        seen.add(step);
      }
    }).observe(document.querySelector("#cards"), { subtree: true, childList: true, attributes: true });
  `);
}

/** Saves the bundle as a person does, and gives the lines the page has for it. */
async function downloadBundle(mine: Locator, dir: string): Promise<string> {
  const download = mine.page().waitForEvent("download");
  await mine.getByRole("button", { name: "Download bundle" }).click();
  const saved = await download;
  await saved.saveAs(join(dir, saved.suggestedFilename()));
  return (await mine.getByRole("tabpanel").locator("pre").textContent()) ?? "";
}

async function verifiedVersion(mine: Locator, bundle: string) {
  const host = (await mine.locator("code").first().textContent()) ?? "";
  const flags = { ca: "tlscacert", cert: "tlscert", key: "tlskey" };
  const certificate = Object.entries(flags).map(
    ([name, flag]) => `--${flag}=${bundle}/${name}.pem`,
  );
  const version = ["version", "--format", "{{.Server.Version}}"];
  return run("docker", ["--tlsverify", ...certificate, "-H", host, ...version]);
}

/** The countdown in seconds. */
async function timeLeft(mine: Locator): Promise<number> {
  const text = (await mine.getByRole("timer").textContent()) ?? "";
  const [, days = "0", hours = "", minutes = "", seconds = ""] =
    /(?:(\d+) d )?(\d+):(\d+):(\d+)/.exec(text) ?? [];
  return ((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds);
}
