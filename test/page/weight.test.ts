import { describe, expect, it } from "vitest";
import { expectNoBarriers, firstPaintMs, heading } from "./browser.js";
import { useBerth } from "./support.js";

const world = useBerth();

describe("the first load", () => {
  it("is light, comes compressed, and asks no other host", async () => {
    const { tab, faults } = await world.open();
    await heading(tab, "Sign in").waitFor();
    expect(await firstPaintMs(tab)).toBeGreaterThan(0);
    const sizes = await tab.evaluate<{ bytes: number; files: string[] }>(`(() => {
      const files = [
        ...performance.getEntriesByType("navigation"),
        ...performance.getEntriesByType("resource"),
      ];
      return {
        bytes: files.reduce((sum, file) => sum + file.transferSize, 0),
        files: files.map((file) => file.name),
      };
    })()`);
    expect(sizes.files.length).toBeLessThanOrEqual(6);
    expect(sizes.bytes).toBeLessThan(60_000);
    expect(faults).toEqual([]);
  });

  it("has views at addresses that can be loaded anew, and says so of those that lead nowhere", async () => {
    const { tab } = await world.open("/admin/nothing", "alice-token");
    expect(await tab.evaluate("document.contentType")).toBe("text/html");
    await heading(tab, "There is nothing here").waitFor();
    await expectNoBarriers(tab, "nothing");
    const answer = await fetch(`${world.url}/v1/nothing`);
    expect(answer.headers.get("content-type")).toContain("problem+json");
  });

  it("lets browsers keep what cannot change, and nothing else", async () => {
    const { tab } = await world.open();
    const asset = await tab.locator("script[src]").getAttribute("src");
    const answer = await fetch(`${world.url}${asset ?? ""}`);
    expect(answer.headers.get("cache-control")).toContain("immutable");
    expect(answer.headers.get("content-encoding")).toBe("gzip");
    expect((await fetch(world.url)).headers.get("cache-control")).not.toContain("immutable");
    expect((await fetch(`${world.url}/assets/..%2findex.html`)).status).toBe(404);
  });

  it("shows each step of a creation as it happens, not all of them at the end", async () => {
    const { tab } = await world.open("", "alice-token");
    world.api.stepMs = 200;
    await tab.getByText("No sandbox yet.").waitFor();
    await tab.evaluate(`
      window.seen = {};
      new MutationObserver(() => {
        for (const step of document.querySelectorAll(".steps li.done .label"))
          window.seen[step.textContent] ??= Date.now();
      }).observe(document.querySelector("main"), { subtree: true, childList: true, attributes: true });
    `);
    await tab.getByRole("button", { name: "Make a sandbox" }).click();
    await tab.getByRole("button", { name: "Download bundle" }).waitFor();
    const [kept] = world.api.kept.values();
    const told = (kept?.events ?? []).flatMap(({ data }) =>
      "status" in data && data.status === "done" && "at" in data
        ? [Date.parse(String(data.at))]
        : [],
    );
    const seen = Object.values(await tab.evaluate<Record<string, number>>("window.seen"));
    expect(seen.length).toBeGreaterThanOrEqual(8);
    expect(seen).toHaveLength(told.length);
    // `npm run bench` measures how soon; here, that the first half was there before the last step had ended.
    for (const ms of seen.slice(0, seen.length >> 1)) expect(ms).toBeLessThan(told.at(-1) ?? 0);
  });
});
