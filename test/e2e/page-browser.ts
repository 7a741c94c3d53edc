import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { chromium, type Browser, type Page } from "playwright-core";
import { expect } from "vitest";

// Debian's Chromium, without anything it does on its own account.
const outputDir = fileURLToPath(new URL("../../test-output/page/", import.meta.url));

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
export async function openTab(browser: Browser, url: string) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
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
  await tab.getByLabel("Your token").fill(token);
  await tab.getByRole("button", { name: "Sign in" }).click();
}

export const card = (tab: Page, name: string) => tab.getByRole("article", { name, exact: true });

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
