import { userName } from "../../lib/contract/sandbox.js";
import { BerthError } from "../../lib/errors.js";

/**
 * A user's name from what others call them: of an e-mail address the part before the @, in small letters.
 * @throws BerthError SIGN_IN_REFUSED when that is no user's name here
 */
export function nameFrom(given: unknown, where: string): string {
  const text = typeof given === "string" ? (given.split("@")[0] ?? "").toLowerCase() : "";
  const name = userName.safeParse(text);
  if (name.success) return name.data;
  throw new BerthError(
    "SIGN_IN_REFUSED",
    `${where} gives you no name that can be a user's here (1 to 32 lower-case letters, digits, _ . or -, a letter first); ask who runs this server`,
  );
}

/** Names of groups, whatever form they come in; no more than anybody has. */
export function groupsFrom(given: unknown): string[] {
  const list: unknown[] = Array.isArray(given) ? given : [given];
  return list.filter((name): name is string => typeof name === "string").slice(0, 1_000);
}

export function isAnyOf(groups: string[], wanted: string[]): boolean {
  return wanted.some((name) => groups.includes(name));
}
