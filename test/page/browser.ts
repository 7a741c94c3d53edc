import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";
import { expect } from "vitest";

// Debian's Chromium, without anything it does on its own account.
const outputDir = fileURLToPath(new URL("../../test-output/screenshots/", import.meta.url));

export const startChromium = () =>
  chromium.launch({
    executablePath: process.env["BERTH_CHROMIUM"] ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--no-proxy-server",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });

/** A tab of its own (nothing stored), and what goes wrong in it unseen. */
export async function openTab(browser: Browser, url: string, options: BrowserContextOptions = {}) {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    ...options,
  });
  // Above all that the page itself waits for, and well below the tests' own limit: then it says what is missing.
  context.setDefaultTimeout(8000);
  const tab = await context.newPage();
  const faults: string[] = [];
  tab.on("pageerror", (error) => faults.push(String(error)));
  tab.on("console", (message) => {
    // Chromium reports every refused request; those are looked at on the page itself.
    const isRefusal = message.text().startsWith("Failed to load resource");
    if (message.type() === "error" && !isRefusal) faults.push(message.text());
  });
  tab.on("request", (request) => {
    const asked = new URL(request.url());
    if (asked.protocol !== "blob:" && asked.origin !== new URL(url).origin) {
      faults.push(`asked another host: ${asked.href}`);
    }
  });
  await tab.goto(url);
  return { tab, faults };
}

export async function signIn(tab: Page, token: string): Promise<void> {
  const summary = tab.getByText("Sign in with a token", { exact: true });
  const field = tab.getByLabel("Your token");
  await field.or(summary).first().waitFor({ state: "attached" });
  // Open already after a refusal.
  if (!(await field.isVisible())) await summary.click();
  await field.fill(token);
  await field.press("Enter");
}

export async function signInByPassword(tab: Page, user: string, password: string): Promise<void> {
  await tab.getByLabel("Name", { exact: true }).fill(user);
  await tab.getByLabel("Password").fill(password);
  await tab.getByRole("button", { name: "Sign in", exact: true }).click();
}

export const card = (tab: Page, name: string) => tab.getByRole("article", { name, exact: true });
export const heading = (tab: Page, name: string) =>
  tab.getByRole("heading", { level: 1, name, exact: true });
export const panel = (tab: Page, name: string) => tab.getByRole("region", { name, exact: true });

/** How long after the page was asked for something of it was painted, in ms. */
export const firstPaintMs = (tab: Page) =>
  tab.evaluate<number>(`new Promise((resolve) => {
    // What is in the page already may not be painted yet.
    new PerformanceObserver((list) => {
      const [paint] = list.getEntriesByName("first-contentful-paint");
      if (paint) resolve(paint.startTime);
    }).observe({ type: "paint", buffered: true });
  })`);

/** How long a search in the list of all sandboxes takes in the browser, from the key to the rows laid out, in ms. */
export const searchMs = (tab: Page, text: string) =>
  tab.evaluate<number>(`(async () => {
    const field = document.querySelector("#search");
    const rows = () => document.querySelectorAll("tbody tr").length;
    const before = rows();
    const begun = performance.now();
    field.value = ${JSON.stringify(text)};
    field.dispatchEvent(new Event("input", { bubbles: true }));
    while (rows() === before) await Promise.resolve();
    document.body.getBoundingClientRect();
    return performance.now() - begun;
  })()`);

/** What was said to screen readers. */
export const said = (tab: Page, text: string | RegExp) =>
  tab.getByRole("log").getByText(text).first().waitFor({ state: "attached" });

/** Pictures for a person to look at, wide and narrow, light and dark; nothing may stick out. */
export async function takePictures(tab: Page, name: string): Promise<void> {
  await mkdir(outputDir, { recursive: true });
  for (const width of [1280, 360]) {
    await tab.setViewportSize({ width, height: 900 });
    for (const colorScheme of ["light", "dark"] as const) {
      await tab.emulateMedia({ colorScheme });
      const path = `${outputDir}${name}-${width}-${colorScheme}.png`;
      await tab.screenshot({ path, fullPage: true });
    }
    // A string, because it runs in the browser: this project's types know no DOM.
    expect(await tab.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(width);
  }
  await tab.emulateMedia({ colorScheme: null });
  await tab.setViewportSize({ width: 1280, height: 900 });
}

interface AxeResults {
  violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[];
}

const axePath = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/** Lets axe-core look for barriers in light and dark; none of any weight may be there. */
export async function expectNoBarriers(tab: Page, view: string): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await tab.emulateMedia({ colorScheme });
    // By the debugger's door: the page's policy would let no script in.
    if (!(await tab.evaluate("typeof axe === 'object'"))) await addAxe(tab);
    const { violations } = await tab.evaluate<AxeResults>("axe.run()");
    const told = violations.map(({ id, impact, nodes }) => ({
      id,
      impact,
      nodes: nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`),
    }));
    expect({ view, colorScheme, told }).toEqual({ view, colorScheme, told: [] });
  }
  await tab.emulateMedia({ colorScheme: null });
}

async function addAxe(tab: Page): Promise<void> {
  await tab.evaluate(`${await readFile(axePath, "utf8")};undefined`);
}
