// The last events of the whole host. Pure.

import type { HostEvent } from "./admin-types.js";

/** `user/name`, or the id alone. */
export function eventAbout({ user, name, sandbox }: HostEvent): string {
  return user !== undefined && name !== undefined ? `${user}/${name}` : (user ?? sandbox);
}

/** Newest first, each once, and no more than are shown. */
export function mergeEvents(older: HostEvent[], newer: HostEvent[], count: number): HostEvent[] {
  const byContent = new Map([...older, ...newer].map((event) => [JSON.stringify(event), event]));
  return [...byContent.values()].sort((a, b) => b.at.localeCompare(a.at)).slice(0, count);
}
