// What outlives a reload: the token, and creations that are under way or failed. All of it in
// sessionStorage, which ends with the tab and is seen by no other site.

import type { Problem, Sandbox } from "./types.js";

const tokenKey = "berth.token";
// Another key whenever a sandbox saved by an older page would lack something.
const creationsKey = "berth.creations.2";

export function loadToken(): string | undefined {
  return sessionStorage.getItem(tokenKey) ?? undefined;
}

export function saveToken(token: string): void {
  sessionStorage.setItem(tokenKey, token);
}

/** Signs out: nothing of the user stays. */
export function forgetAll(): void {
  sessionStorage.removeItem(tokenKey);
  sessionStorage.removeItem(creationsKey);
}

/** A creation asked for in this tab. A failed one is gone from the server's list: only we know it. */
export interface Creation {
  sandbox: Sandbox;
  problem?: Problem;
}

export function loadCreations(): Creation[] {
  try {
    return JSON.parse(sessionStorage.getItem(creationsKey) ?? "[]") as Creation[];
  } catch {
    return [];
  }
}

export function saveCreation(creation: Creation): void {
  store([...without(creation.sandbox.id), creation]);
}

/** Whether a creation of this tab has not yet come to an end. */
export const isAwaited = (id: string) =>
  loadCreations().some(({ sandbox, problem }) => sandbox.id === id && !problem);

export function forgetCreation(id: string): void {
  store(without(id));
}

const without = (id: string) => loadCreations().filter(({ sandbox }) => sandbox.id !== id);

function store(creations: Creation[]): void {
  sessionStorage.setItem(creationsKey, JSON.stringify(creations));
}
