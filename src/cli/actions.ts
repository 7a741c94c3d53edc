import type { ReapAction, ReapResult } from "../lib/contract/sandbox.js";
import type { Session } from "./session.js";

/** Tells what was done, or on a dry run would be; fails when something could not be. */
export function reportActions(session: Session, result: ReapResult, nothing: string): void {
  session.out.result(result, () => result.actions.map((action) => lineOf(action, result.dryRun)));
  if (result.actions.length === 0 && !session.out.json) session.out.note(nothing);
  if (result.actions.some(({ error }) => error !== undefined)) session.fail();
}

function lineOf({ act, thing, why, error }: ReapAction, dryRun: boolean): string {
  const line = `${dryRun ? "would " : ""}${act} ${thing}: ${why}`;
  return error === undefined ? line : `${line}; FAILED: ${error}`;
}
