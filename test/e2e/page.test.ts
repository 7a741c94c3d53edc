import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { card, heading, openTab, panel, said, signIn, startChromium } from "../page/browser.js";
import { patience, projectDir, startedBerth } from "./support.js";

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
    // A real engine takes its time, and more on a machine that is emulated.
    tab.context().setDefaultTimeout(patience(30_000));
    asked = [];
    tab.on("request", (request) => asked.push(request.url()));
  });
  afterEach(async () => {
    await tab.context().close();
    await berth.removeUser(user);
    await rm(dir, { recursive: true });
  });

  it("refuses a wrong token in words, and never puts a token into an address", async () => {
    await signIn(tab, "no-such-token");
    await tab.getByRole("alert").getByText("This token does not work").waitFor();
    await signIn(tab, token);
    await tab.getByText("No sandbox yet.").waitFor();
    for (const address of asked) {
      expect(address).not.toContain(token);
      expect(address).not.toContain("no-such-token");
    }
    await tab.getByRole("button", { name: "Sign out" }).click();
    await heading(tab, "Sign in").waitFor();
    expect(await tab.evaluate("sessionStorage.length")).toBe(0);
    expect(faults).toEqual([]);
  });

  it("leads from a token to a Docker Engine that answers, and cleans up after", async () => {
    await signIn(tab, token);
    await tab.getByText("No sandbox yet.").waitFor();
    await watchSteps(tab);
    await tab.getByRole("button", { name: "Make a sandbox" }).click();
    await heading(tab, "default").waitFor();
    await tab.getByRole("button", { name: "Download bundle" }).waitFor();
    const seen = await tab.evaluate<string[]>("window.seenSteps");
    for (const step of seen) expect(step).toMatch(/done \d.*\s(ms|s)$/);
    for (const step of ["Set aside memory", "Make a disk", "Start the Docker", "Wait until"]) {
      expect(seen.join("\n")).toContain(step);
    }
    await panel(tab, "In use")
      .getByText(/\d of \d+/)
      .first()
      .waitFor();

    const lines = await downloadBundle(tab, dir);
    // What the page says to paste, in the folder of the download, by the user's own docker client.
    const home = { ...process.env, HOME: dir, DOCKER_CONFIG: join(dir, ".docker") };
    const pasted = await run("bash", ["-euc", lines], { cwd: dir, env: home });
    expect(pasted.stdout).toMatch(/Server:/);
    const host = (await addressOf(tab)) ?? "";
    const docker = (...args: string[]) =>
      run("docker", [...flags(join(dir, `berth-${user}-default`)), "-H", host, ...args]);
    const port = await panel(tab, "Published ports").getByRole("link").first().textContent();
    await runContainer(docker, Number.parseInt(port ?? ""));

    const before = await timeLeft(tab);
    await tab.getByRole("button", { name: "Add 2 hours" }).click();
    await said(tab, "default has 2 hours more.");
    expect((await timeLeft(tab)) - before).toBeGreaterThan(119 * 60);

    await tab.reload();
    await tab.getByRole("button", { name: "Download bundle" }).waitFor();
    expect(await addressOf(tab)).toBe(host);

    await tab.getByRole("button", { name: "Remove this sandbox" }).click();
    await tab.getByRole("button", { name: "Keep it" }).click();
    await tab.getByRole("button", { name: "Remove this sandbox" }).click();
    await tab.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
    await tab.getByText("No sandbox yet.").waitFor();
    expect(faults).toEqual([]);
  });

  it("follows a creation on over a reload, and lists it", async () => {
    await signIn(tab, token);
    await tab.getByRole("link", { name: "Choose settings first" }).click();
    await tab.getByLabel("Name", { exact: true }).fill("by-hand");
    await tab.keyboard.press("Enter");
    await heading(tab, "by-hand").waitFor();
    await tab.reload();
    await tab.getByRole("button", { name: "Download bundle" }).waitFor();
    await tab.getByRole("link", { name: "My sandboxes", exact: true }).click();
    await card(tab, "by-hand").getByText("ready", { exact: true }).waitFor();
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
    }).observe(document.querySelector("main"), { subtree: true, childList: true, attributes: true });
  `);
}

/** Saves the bundle as a person does, and gives the lines the page has for it. */
async function downloadBundle(tab: Page, dir: string): Promise<string> {
  const download = tab.waitForEvent("download");
  await tab.getByRole("button", { name: "Download bundle" }).click();
  const saved = await download;
  await saved.saveAs(join(dir, saved.suggestedFilename()));
  return (await panel(tab, "Connect").locator("pre:visible").textContent()) ?? "";
}

const addressOf = (tab: Page) => panel(tab, "Connect").locator(".address code").textContent();

/** What makes a docker client use the bundle in `dir`. */
function flags(dir: string): string[] {
  const files = { ca: "tlscacert", cert: "tlscert", key: "tlskey" };
  const given = Object.entries(files).map(([name, flag]) => `--${flag}=${join(dir, name)}.pem`);
  return ["--tlsverify", ...given];
}

/** A container of the small demo image, with a port published that the page lists. */
async function runContainer(
  docker: (...args: string[]) => Promise<{ stdout: string }>,
  port: number,
): Promise<void> {
  const tar = join(await mkdtemp(join(tmpdir(), "berth-box-")), "box.tar");
  await run("bash", ["-c", `"$0" > "$1"`, join(projectDir, "scripts", "demo-image"), tar]);
  await docker("import", tar, "box");
  await rm(dirname(tar), { recursive: true });
  const { stdout } = await docker("run", "--rm", "-p", `${port}:80`, "box", "echo", "it runs");
  expect(stdout.trim()).toBe("it runs");
}

/** The countdown in seconds. */
async function timeLeft(tab: Page): Promise<number> {
  const text = (await panel(tab, "Time").getByRole("timer").textContent()) ?? "";
  const [, days = "0", hours = "", minutes = "", seconds = ""] =
    /(?:(\d+) d )?(\d+):(\d+):(\d+)/.exec(text) ?? [];
  return ((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds);
}
