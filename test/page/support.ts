import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { PageApi } from "../fakes/page-api.js";
import { openTab, signIn, startChromium } from "./browser.js";

/** A fake Berth with alice and an admin, and a browser, anew for each test of a file. */
export function useBerth() {
  let browser: Browser | undefined;
  const world = {
    api: new PageApi(),
    url: "",
    /** A fresh tab; signed in when a token is given. */
    async open(path = "", token?: string) {
      if (!browser) throw new Error("no browser yet");
      const opened = await openTab(browser, world.url + path, { acceptDownloads: true });
      if (token !== undefined) await signIn(opened.tab, token);
      return opened;
    },
  };
  beforeAll(async () => {
    browser = await startChromium();
  });
  afterAll(() => browser?.close());
  beforeEach(async () => {
    world.api = new PageApi();
    world.api.sessions.addUser("alice", "correct horse");
    world.api.tokens.set("alice-token", { user: "alice", role: "user" });
    world.api.tokens.set("root-token", { user: "root", role: "admin" });
    world.url = await world.api.start();
  });
  afterEach(async () => {
    await Promise.all((browser?.contexts() ?? []).map((context) => context.close()));
    await world.api.stop();
  });
  return world;
}
