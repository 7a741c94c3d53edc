// The admins' list of sandboxes: what is found, and in which order. Pure.

import type { ListedSandbox } from "./types.js";

export const sortKeys = ["user", "state", "left", "memory", "cpu", "disk"] as const;
export type SortKey = (typeof sortKeys)[number];

export interface Wanted {
  search: string;
  sort: string;
  /** "down": the largest first. */
  direction: string;
}

/** A sandbox as a row: `cores` are known from the second look on. */
export interface Row {
  sandbox: ListedSandbox;
  cores: number | undefined;
}

export function wantedRows(rows: Row[], { search, sort, direction }: Wanted): Row[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const found = rows.filter(({ sandbox }) => {
    const text = textOf(sandbox);
    return words.every((word) => text.includes(word));
  });
  const key = sortKeys.find((one) => one === sort) ?? "user";
  const sign = direction === "down" ? -1 : 1;
  return found.sort((a, b) => sign * compare(a, b, key) || byName(a, b));
}

const textOf = ({ user, name, id, state, profile, isolation }: ListedSandbox) =>
  `${user}/${name} ${id} ${state} ${profile} ${isolation}`.toLowerCase();

function compare(a: Row, b: Row, key: SortKey): number {
  if (key === "user") return byName(a, b);
  if (key === "state") return a.sandbox.state.localeCompare(b.sandbox.state);
  if (key === "left") return a.sandbox.expiresAt.localeCompare(b.sandbox.expiresAt);
  return measure(a, key) - measure(b, key);
}

/** What is not measured comes before everything that is. */
function measure({ sandbox, cores }: Row, key: "memory" | "cpu" | "disk"): number {
  if (key === "cpu") return cores ?? -1;
  return sandbox.usage?.[key].usedBytes ?? -1;
}

const byName = (a: Row, b: Row) =>
  a.sandbox.user.localeCompare(b.sandbox.user) || a.sandbox.name.localeCompare(b.sandbox.name);
