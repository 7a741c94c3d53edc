// The last events of the whole host, in words. Pure.

import type { HostEvent } from "./admin-types.js";

/** What an event tells: its own text, or what can be made of its parts. */
export function eventText({ text, type, kind, data }: HostEvent): string {
  if (text !== undefined) return text;
  const value = (name: string) => {
    const one = data?.[name];
    return typeof one === "string" || typeof one === "number" ? String(one) : undefined;
  };
  const parts = [value("step"), value("state"), value("status"), value("reason"), value("text")];
  const words = parts.filter((part) => part !== undefined).join(" ");
  return words === "" ? (type ?? kind ?? "event") : words;
}

/** `user/name`, or the id alone. */
export function eventAbout({ user, name, sandbox }: HostEvent): string {
  if (user !== undefined && name !== undefined) return `${user}/${name}`;
  return user ?? sandbox ?? "";
}

/** Newest first, each once, and no more than are shown. */
export function mergeEvents(older: HostEvent[], newer: HostEvent[], count: number): HostEvent[] {
  const byContent = new Map([...older, ...newer].map((event) => [JSON.stringify(event), event]));
  return [...byContent.values()].sort((a, b) => b.at.localeCompare(a.at)).slice(0, count);
}
