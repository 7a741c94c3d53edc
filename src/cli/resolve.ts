import type { Sandbox } from "../lib/contract/sandbox.js";
import { BerthError } from "../lib/errors.js";
import { titleOf } from "./describe.js";

/** SANDBOX of a command line: an id, a user, or user/name. */
export interface SandboxReference {
  text: string;
  /** Set for user/name. */
  owner?: { user: string; name: string };
}

interface Lists {
  list(user?: string): Promise<Sandbox[]>;
}

/** The sandbox meant. Rejects with SANDBOX_NOT_FOUND, also when a user alone leaves it open. */
export async function resolveSandbox(api: Lists, reference: SandboxReference): Promise<Sandbox> {
  return pickSandbox(await api.list(reference.owner?.user), reference);
}

/** An exact id before a user of the same name; a user's only sandbox, or the one named default. */
export function pickSandbox(all: Sandbox[], { text, owner }: SandboxReference): Sandbox {
  if (owner) {
    const found = all.find(({ user, name }) => user === owner.user && name === owner.name);
    if (found) return found;
    throw notFound(
      text,
      all.filter(({ user }) => user === owner.user),
    );
  }
  const byId = all.find(({ id }) => id === text);
  if (byId) return byId;
  const ofUser = all.filter(({ user }) => user === text);
  const found = ofUser.length === 1 ? ofUser[0] : ofUser.find(({ name }) => name === "default");
  if (found) return found;
  if (ofUser.length === 0) throw notFound(text, []);
  throw new BerthError(
    "SANDBOX_NOT_FOUND",
    `${text} has ${ofUser.length} sandboxes and none is named default; say which: ${titles(ofUser)}`,
  );
}

function notFound(text: string, near: Sandbox[]): BerthError {
  const hint = near.length ? `there is ${titles(near)}` : "`berth list` shows those there are";
  return new BerthError("SANDBOX_NOT_FOUND", `no sandbox ${text}; ${hint}`);
}

function titles(sandboxes: Sandbox[]): string {
  return sandboxes.map((one) => `${titleOf(one)} (${one.id})`).join(", ");
}
