import type { Sandbox } from "../../lib/contract/sandbox.js";
import { BerthError, codeOf, messageOf } from "../../lib/errors.js";
import { sandboxReferences } from "../arguments.js";
import { titleOf } from "../describe.js";
import type { SandboxReference } from "../resolve.js";
import type { Session } from "../session.js";
import { verb, type AddVerb } from "../verb.js";

interface Miss {
  text: string;
  error: BerthError;
}

export const addRemove: AddVerb = (parent, session) => {
  verb(parent, "remove", {
    summary: "remove sandboxes and all that is in them",
    about:
      "Removes sandboxes: containers, images, volumes, certificates. Nothing of them is kept, and\n" +
      "nobody is asked. When one cannot be removed the others still are.",
    examples: [
      ["remove alice", "a user's only one, or the one named default"],
      ["remove alice/ci bob k3x9f2ab", "several at once"],
    ],
    next: "`berth create USER` makes a new one.",
  })
    .alias("rm")
    .argument("<sandbox...>", "each an id, a user, or user/name", sandboxReferences)
    .action(async (references: SandboxReference[]) => {
      const { found, misses } = await resolveAll(session, references);
      const removed: string[] = [];
      for (const sandbox of found) {
        const miss = await removeOne(session, sandbox);
        if (miss) misses.push(miss);
        else removed.push(sandbox.id);
      }
      report(session, removed, misses);
    });
};

/** All of them before any is removed: `alice` may mean another sandbox once one of hers is gone. */
async function resolveAll(
  session: Session,
  references: SandboxReference[],
): Promise<{ found: Sandbox[]; misses: Miss[] }> {
  const found = new Map<string, Sandbox>();
  const misses: Miss[] = [];
  for (const reference of references) {
    try {
      const sandbox = await session.sandbox(reference);
      found.set(sandbox.id, sandbox);
    } catch (error) {
      misses.push({ text: reference.text, error: expected(error) });
    }
  }
  return { found: [...found.values()], misses };
}

async function removeOne(session: Session, sandbox: Sandbox): Promise<Miss | undefined> {
  try {
    await (await session.api()).remove(sandbox.id);
  } catch (error) {
    return { text: sandbox.id, error: expected(error) };
  }
  if (!session.out.json)
    session.out.result({}, () => [`removed ${titleOf(sandbox)} (${sandbox.id})`]);
  return undefined;
}

function report(session: Session, removed: string[], misses: Miss[]): void {
  for (const { error } of misses) session.out.note(`berth: ${error.message} (${error.code})`);
  const [first] = misses;
  const errors = misses.map(({ text, error }) => ({ path: text, message: error.message }));
  const error = first && { code: first.error.code, message: first.error.message, errors };
  if (first) session.fail();
  session.out.result({ removed, ...(error ? { error } : {}) }, () => []);
}

/** The daemon being away is no matter of one sandbox: that ends the command. */
function expected(error: unknown): BerthError {
  if (error instanceof BerthError && codeOf(error) !== "DAEMON_UNREACHABLE") return error;
  throw error instanceof Error ? error : new Error(messageOf(error));
}
