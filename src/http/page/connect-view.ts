import { waysToConnect, type Way } from "./connect.js";
import { copyOnClick } from "./copy.js";
import { el } from "./dom.js";
import type { Sandbox } from "./types.js";

/** Tabs with the lines to paste, after the WAI-ARIA tabs pattern (arrow keys, Home and End). */
export function showConnect(tabs: HTMLElement, panels: HTMLElement, sandbox: Sandbox): void {
  const ways = waysToConnect(sandbox);
  const made = ways.map((way) => makeTab(sandbox.id, way));
  const select = (chosen: number, focus: boolean) => {
    made.forEach(({ tab, panel }, index) => {
      tab.setAttribute("aria-selected", String(index === chosen));
      tab.tabIndex = index === chosen ? 0 : -1;
      panel.hidden = index !== chosen;
    });
    if (focus) made[chosen]?.tab.focus();
  };
  made.forEach(({ tab }, index) => {
    tab.addEventListener("click", () => {
      select(index, false);
    });
    tab.addEventListener("keydown", (event) => {
      const next = nextTab(event.key, index, made.length);
      if (next === undefined) return;
      event.preventDefault();
      select(next, true);
    });
  });
  tabs.replaceChildren(...made.map(({ tab }) => tab));
  panels.replaceChildren(...made.map(({ panel }) => panel));
  const isWindows = navigator.userAgent.includes("Windows");
  select(isWindows ? ways.findIndex(({ key }) => key === "powershell") : 0, false);
}

function makeTab(id: string, { key, title, lines }: Way) {
  const tab = el(
    "button",
    { type: "button", role: "tab", id: `${id}-${key}`, "aria-controls": `${id}-${key}-panel` },
    title,
  );
  const copy = el("button", { type: "button", class: "copy" }, "Copy");
  copyOnClick(copy, () => `${lines.join("\n")}\n`);
  const panel = el(
    "div",
    { role: "tabpanel", class: "lines", id: `${id}-${key}-panel`, "aria-labelledby": tab.id },
    el("pre", {}, ...lines.map((line) => el("span", {}, `${line}\n`))),
    copy,
  );
  return { tab, panel };
}

function nextTab(key: string, index: number, count: number): number | undefined {
  if (key === "ArrowRight") return (index + 1) % count;
  if (key === "ArrowLeft") return (index + count - 1) % count;
  if (key === "Home") return 0;
  if (key === "End") return count - 1;
  return undefined;
}
