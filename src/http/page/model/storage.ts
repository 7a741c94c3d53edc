// What outlives a reload, all of it in sessionStorage, which ends with the tab and is seen by no other
// site: drafts of forms, creations that are under way or failed, and (only to a Berth that has no
// sessions) the token.

import type { Problem, Sandbox } from "./types.js";

const tokenKey = "berth.token";
// Another key whenever a sandbox saved by an older page would lack something.
const creationsKey = "berth.creations.2";
const draftPrefix = "berth.draft.";
const ownerKey = "berth.owner";
const returnKey = "berth.return";

export const loadToken = (): string | undefined => sessionStorage.getItem(tokenKey) ?? undefined;

export function saveToken(token: string): void {
  sessionStorage.setItem(tokenKey, token);
}

export function forgetToken(): void {
  sessionStorage.removeItem(tokenKey);
}

/** Signs out: nothing of the user stays. */
export function forgetAll(): void {
  for (const key of Object.keys(sessionStorage)) {
    if (key.startsWith("berth.")) sessionStorage.removeItem(key);
  }
}

/** What is kept is `user`'s: another's is thrown away. */
export function keepFor(user: string): void {
  const token = loadToken();
  if ((sessionStorage.getItem(ownerKey) ?? user) !== user) forgetAll();
  if (token !== undefined) saveToken(token);
  sessionStorage.setItem(ownerKey, user);
}

/** Where to go on after a sign-in that leads away from the page. */
export function saveReturn(path: string): void {
  sessionStorage.setItem(returnKey, path);
}

export function takeReturn(): string | undefined {
  const path = sessionStorage.getItem(returnKey) ?? undefined;
  sessionStorage.removeItem(returnKey);
  return path;
}

export const loadDraft = <T>(form: string): Partial<T> =>
  parsed<Partial<T>>(sessionStorage.getItem(draftPrefix + form), {});

export function saveDraft(form: string, draft: object): void {
  sessionStorage.setItem(draftPrefix + form, JSON.stringify(draft));
}

export function forgetDraft(form: string): void {
  sessionStorage.removeItem(draftPrefix + form);
}

/** A creation asked for in this tab. A failed one is gone from the server's list: only we know it. */
export interface Creation {
  sandbox: Sandbox;
  problem?: Problem;
}

export const loadCreations = (): Creation[] =>
  parsed<Creation[]>(sessionStorage.getItem(creationsKey), []);

export const creationOf = (id: string) => loadCreations().find(({ sandbox }) => sandbox.id === id);

export function saveCreation(creation: Creation): void {
  store([...without(creation.sandbox.id), creation]);
}

export function forgetCreation(id: string): void {
  if (creationOf(id)) store(without(id));
}

const without = (id: string) => loadCreations().filter(({ sandbox }) => sandbox.id !== id);

function store(creations: Creation[]): void {
  sessionStorage.setItem(creationsKey, JSON.stringify(creations));
}

function parsed<T>(text: string | null, otherwise: T): T {
  try {
    return text === null ? otherwise : (JSON.parse(text) as T);
  } catch {
    return otherwise;
  }
}
