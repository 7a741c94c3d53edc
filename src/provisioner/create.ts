import { BerthError } from "../lib/errors.js";
import { Undo } from "../lib/undo.js";
import { bringUp } from "./bring-up.js";
import type { Context } from "./context.js";
import type { SandboxRecord } from "./records.js";
import { takeDown } from "./take-down.js";

/**
 * Makes a reserved sandbox real. Resolves with it ready; on any failure, and when the signal aborts,
 * nothing of it is left, and what could not be removed is kept on record for reconcile.
 */
export async function create(
  context: Context,
  record: SandboxRecord,
  signal: AbortSignal,
): Promise<SandboxRecord> {
  const begun = performance.now();
  context.events.begin(record.id, record.user, { state: "creating", expiresAt: record.expiresAt });

  await using undo = new Undo(context.log);
  undo.add("sandbox", () => takeDown(context, record.id));

  await bringUp(context, record, signal);
  // A removal that was asked for in the last moment is still obeyed.
  signal.throwIfAborted();
  const ready = await context.records.update(record.id, { state: "ready" });

  undo.keep();
  const ms = Math.round(performance.now() - begun);
  context.events.state(record.id, { state: "ready", ms, expiresAt: record.expiresAt });
  context.log.info({ sandbox: record.id, user: record.user, ms }, "sandbox ready");
  return ready;
}

/** Why a creation was broken off; goes as the reason into its AbortSignal. */
export function cancelled(id: string, why: string): BerthError {
  return new BerthError("CREATE_CANCELLED", `the creation of sandbox ${id} was broken off: ${why}`);
}
