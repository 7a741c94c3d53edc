import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { expectNoBarriers, heading, said } from "./browser.js";
import { useBerth } from "./support.js";

const world = useBerth();

/** Presses Tab until the focus is on what is called `name`; no mouse, and nothing skipped by a script. */
async function tabTo(tab: Page, name: string): Promise<void> {
  for (let presses = 0; presses < 60; presses++) {
    const focused = await tab.evaluate<string>(
      `document.activeElement === document.body ? "" :
        document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent`,
    );
    if (focused.includes(name)) return;
    await tab.keyboard.press("Tab");
  }
  throw new Error(`Tab never came to ${name}`);
}

describe("by keyboard alone", () => {
  it("one signs in, makes a sandbox, reads how to connect, extends and removes it", async () => {
    const { tab, faults } = await world.open();
    await heading(tab, "Sign in").waitFor();
    await tab.keyboard.type("alice");
    await tab.keyboard.press("Tab");
    await tab.keyboard.type("correct horse");
    await tab.keyboard.press("Enter");
    await tab.getByText("No sandbox yet.").waitFor();
    await tabTo(tab, "Make a sandbox");
    await tab.keyboard.press("Enter");
    await said(tab, "default is ready.");
    // The view that was come to has the focus, so that a screen reader reads on from its name.
    expect(await tab.evaluate("document.activeElement.tagName")).toBe("H1");

    await tabTo(tab, "Add 2 hours");
    await tab.keyboard.press("Enter");
    await said(tab, "default has 2 hours more.");
    await tabTo(tab, "Docker context");
    await tab.keyboard.press("ArrowRight");
    await tab.getByRole("tabpanel", { name: "bash, zsh" }).waitFor();
    await tab.keyboard.press("End");
    await tab.getByRole("tabpanel", { name: "VS Code" }).waitFor();

    await tabTo(tab, "Remove this sandbox");
    await tab.keyboard.press("Enter");
    await tab.getByRole("dialog").waitFor();
    await tab.keyboard.press("Escape");
    await tab.getByRole("dialog").waitFor({ state: "detached" });
    expect(await tab.evaluate("document.activeElement.textContent")).toBe("Remove this sandbox");
    await tab.keyboard.press("Enter");
    await tabTo(tab, "Remove");
    const focused = () => tab.evaluate<string>("document.activeElement.textContent");
    while ((await focused()) !== "Remove") await tab.keyboard.press("Tab");
    await tab.keyboard.press("Enter");
    await tab.getByText("No sandbox yet.").waitFor();
    expect(faults).toEqual([]);
  });

  it("the content is a press away, and back is back", async () => {
    const { id } = world.api.add({ user: "alice" });
    const { tab } = await world.open("", "alice-token");
    await heading(tab, "My sandboxes").waitFor();
    await expectNoBarriers(tab, "my sandboxes");
    await tab.goto(`${world.url}/new`);
    await heading(tab, "New sandbox").waitFor();
    await expectNoBarriers(tab, "the form");
    await tab.keyboard.press("Tab");
    await tab.keyboard.press("Enter");
    expect(await tab.evaluate("document.activeElement.id")).toBe("main");
    await tab.goto(`${world.url}/`);
    await tab.getByRole("link", { name: "default" }).click();
    await heading(tab, "default").waitFor();
    expect(new URL(tab.url()).pathname).toBe(`/sandboxes/${id}`);
    await tab.goBack();
    await heading(tab, "My sandboxes").waitFor();
    expect(await tab.evaluate("document.activeElement.textContent")).toBe("My sandboxes");
  });

  it("the focus is on a view as soon as it is there, so that nothing typed at once is lost to it", async () => {
    const { tab } = await world.open("", "alice-token");
    await tab.getByText("No sandbox yet.").waitFor();
    const focused = await tab.evaluate<string>(`(async () => {
      document.querySelector('a[href="/new"]').click();
      await new Promise((resolve) => setTimeout(resolve));
      return document.activeElement.textContent;
    })()`);
    expect(focused).toBe("New sandbox");
  });
});
