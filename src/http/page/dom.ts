// Small helpers over the DOM. Text reaches the page through textContent only, never as markup.

import type { Problem } from "./types.js";

type Kind<E extends Element> = new () => E;

/** The element with this id; the page's own html has it. */
export function byId<E extends HTMLElement>(id: string, kind: Kind<E>): E {
  return checked(document.getElementById(id), kind, `#${id}`);
}

/** The element with this data-part inside `root`. */
export function part<E extends HTMLElement>(root: ParentNode, name: string, kind: Kind<E>): E {
  return checked(root.querySelector(`[data-part="${name}"]`), kind, name);
}

function checked<E extends Element>(found: Element | null, kind: Kind<E>, what: string): E {
  if (found instanceof kind) return found;
  throw new TypeError(`index.html has no ${kind.name} ${what}`);
}

/** A new element; strings among the children become text. */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, string> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Sets text only when it differs: a screen reader and a selection stay undisturbed. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

const announcementsKept = 4;

/** Says `text` to screen readers, after what they are saying now. */
export function announce(text: string): void {
  const announcer = byId("announcer", HTMLDivElement);
  announcer.append(el("p", {}, text));
  while (announcer.childElementCount > announcementsKept) announcer.firstElementChild?.remove();
}

/** Shows a problem in a `role=alert` box, or hides the box. */
export function showProblem(box: HTMLElement, problem: Problem | undefined): void {
  box.hidden = problem === undefined;
  box.replaceChildren();
  if (!problem) return;
  box.append(
    el("strong", {}, problem.title || "Something went wrong"),
    el("p", {}, problem.detail),
  );
  const faults = problem.errors ?? [];
  if (faults.length > 0) {
    const items = faults.map(({ path, message }) =>
      el("li", {}, path ? `${path}: ${message}` : message),
    );
    box.append(el("ul", {}, ...items));
  }
  if (problem.code) box.append(el("p", { class: "code" }, problem.code));
}

/** Disables `button` and says why on it, until the returned function is called. */
export function busy(button: HTMLButtonElement, text: string): () => void {
  const before = button.textContent;
  // Not `disabled`: that would throw the keyboard's focus away. Handlers check isBusy instead.
  button.setAttribute("aria-disabled", "true");
  button.textContent = text;
  return () => {
    button.removeAttribute("aria-disabled");
    button.textContent = before;
  };
}

export const isBusy = (button: HTMLButtonElement) =>
  button.getAttribute("aria-disabled") === "true";
