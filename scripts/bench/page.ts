import type { Browser, Page } from "playwright-core";
import { stepEvent } from "../../src/lib/contract/sandbox.js";
import { addedUser } from "../../src/lib/contract/user.js";
import { apiUrl, berth, berthJson } from "../../test/e2e/support.js";
import { PageApi } from "../../test/fakes/page-api.js";
import { firstPaintMs, openTab, searchMs, signIn, startChromium } from "../../test/page/browser.js";
import { quietly, type Row } from "./table.js";

const user = "bench-page";

/** The page in a real browser: how soon it is there, and how soon a step of a creation is seen. */
export async function measurePage(runs: number): Promise<Row[]> {
  await berth("user", "remove", user);
  const { token } = addedUser.parse(await berthJson("user", "add", user));
  const url = await apiUrl();
  const browser = await startChromium();
  const views: number[] = [];
  const lags: number[] = [];
  const searches: number[] = [];
  let bytes = 0;
  try {
    for (let run = 0; run < runs; run++) {
      // A browser that has never been here: nothing is kept.
      const { tab } = await openTab(browser, url, { ignoreHTTPSErrors: true });
      await tab.getByRole("heading", { name: "Sign in" }).waitFor();
      views.push(await firstPaintMs(tab));
      bytes = await tab.evaluate<number>(transferred);
      await signIn(tab, token);
      lags.push(...(await watchCreation(tab, url, token)));
      searches.push(await searchAmong(500, browser));
      quietly(`page ${run + 1}/${runs}`);
      await tab.context().close();
    }
  } finally {
    await browser.close();
    await berth("user", "remove", user);
  }
  return [
    { what: "page: first view, nothing cached", values: views, unit: "ms", aim: 1000 },
    { what: "page: first load, over the network", values: [bytes / 1000], unit: "kB", aim: 150 },
    { what: "page: from a creation's step to its sight", values: lags, unit: "ms", aim: 100 },
    { what: "page: search among 500 sandboxes", values: searches, unit: "ms", aim: 500 },
  ];
}

// Strings, because they run in the browser: this project's types know no DOM.
const transferred = `[
  ...performance.getEntriesByType("navigation"),
  ...performance.getEntriesByType("resource"),
].reduce((sum, { transferSize }) => sum + transferSize, 0)`;
const watch = `
  window.seen = [];
  const known = new Set();
  new MutationObserver(() => {
    for (const step of document.querySelectorAll(".steps li.done .label")) {
      if (!known.has(step.textContent)) window.seen.push(Date.now());
      known.add(step.textContent);
    }
  }).observe(document.querySelector("main"), { subtree: true, childList: true, attributes: true });
`;

/** In the admin's list. The sandboxes are a fake server's: what is measured is the browser's work alone. */
async function searchAmong(count: number, browser: Browser): Promise<number> {
  const api = new PageApi();
  api.tokens.set("token", { user: "root", role: "admin" });
  for (let i = 0; i < count; i++) api.add({ user: `user-${i % 250}`, name: `s${i}` });
  const { tab } = await openTab(browser, `${await api.start()}/admin`);
  try {
    await signIn(tab, "token");
    await tab.getByText(`${count} of ${count} sandboxes`).waitFor();
    return await searchMs(tab, "user-24");
  } finally {
    await tab.context().close();
    await api.stop();
  }
}

/** Makes a sandbox by the button; how long after each step had ended it was on the page, by one clock. */
async function watchCreation(tab: Page, url: string, token: string): Promise<number[]> {
  await tab.getByText("No sandbox yet.").waitFor();
  await tab.evaluate(watch);
  await tab.getByRole("button", { name: "Make a sandbox" }).click();
  await tab.getByRole("button", { name: "Download bundle" }).waitFor();
  const seen = await tab.evaluate<number[]>("window.seen");
  const id = new URL(tab.url()).pathname.split("/").at(-1) ?? "";
  const ended = await endsOf(`${url}/v1/sandboxes/${id}/events`, token);
  await tab.getByRole("button", { name: "Remove this sandbox" }).click();
  await tab.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  await tab.getByText("No sandbox yet.").waitFor();
  return seen.map((ms, index) => ms - (ended[index] ?? NaN)).filter((lag) => !Number.isNaN(lag));
}

async function endsOf(url: string, token: string): Promise<number[]> {
  const stop = new AbortController();
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch(url, { headers, signal: stop.signal });
  let text = "";
  for await (const chunk of answer.body ?? []) {
    text += Buffer.from(chunk as Uint8Array).toString();
    if (text.includes('"state":"ready"')) break;
  }
  stop.abort();
  return [...text.matchAll(/event: step\ndata: (.*)\n/g)]
    .map(([, json]) => stepEvent.parse(JSON.parse(json ?? "")))
    .filter(({ status }) => status === "done")
    .map(({ at }) => Date.parse(at));
}
