import { isDeepStrictEqual } from "node:util";
import type { ResizeRequest } from "../lib/contract/sandbox.js";
import { largerOf, type SandboxLimits } from "../lib/limits.js";
import { Undo } from "../lib/undo.js";
import type { Context } from "./context.js";
import type { SandboxRecord } from "./records.js";
import { checkUsage, decideResize } from "./request.js";
import { settleSlice } from "./slices.js";

/**
 * Changes a running sandbox's limits. The caller holds its lock.
 *
 * First record and slice allow the larger of old and new, then the container gets the new limits,
 * then record and slice come down to them: a container is never promised more than its slice has,
 * and the record never says less than is in force. So whatever moment the daemon dies at, its next
 * start only has to let something grow to what the record says, which no kernel refuses and nothing
 * is killed by. The disk, which cannot go back, comes last: nothing that fails after it would have
 * to undo it.
 * @throws BerthError LIMIT_OUT_OF_RANGE and what the parts throw; then the old limits hold again
 */
export async function resize(
  context: Context,
  record: SandboxRecord,
  request: ResizeRequest,
): Promise<SandboxRecord> {
  const { parts, records, settingsOf, events, log } = context;
  const { id, user, limits: before } = record;
  const begun = performance.now();
  const after = decideResize(request, before, settingsOf(record.user));
  await mustBePossible(context, id, before, after);

  await using undo = new Undo(log);
  await allow(context, undo, id, largerOf(before, after));
  undo.add("container's limits", () => parts.engine.setLimits(id, before));
  await parts.engine.setLimits(id, after);
  await allow(context, undo, id, after);
  // A failure may leave the image longer than the record says: a hole, which takes no space.
  await parts.disks.grow(id, after.diskBytes);

  undo.keep();
  const ms = Math.round(performance.now() - begun);
  events.state(id, { state: "ready" });
  log.info({ sandbox: id, user, before, after, ms }, "sandbox resized");
  return records.get(id) ?? { ...record, limits: after };
}

/** Asks what would refuse the limits half-way, before anything is changed. */
async function mustBePossible(
  { parts }: Context,
  id: string,
  before: SandboxLimits,
  after: SandboxLimits,
): Promise<void> {
  if (after.diskBytes > before.diskBytes) await parts.disks.checkGrowth();
  const shrinks = after.memoryBytes < before.memoryBytes || after.pids < before.pids;
  if (shrinks) checkUsage(after, before, await parts.engine.usage(id));
}

/** Writes limits into the record and makes the slice as large as its records then say. */
async function allow(
  context: Context,
  undo: Undo,
  id: string,
  limits: SandboxLimits,
): Promise<void> {
  const { records } = context;
  const record = records.get(id);
  if (!record || isDeepStrictEqual(record.limits, limits)) return;
  // Undone in reverse: the record first, which the slice follows.
  undo.add("slice", () => settleSlice(context, record.user));
  undo.add("record", () => records.update(id, { limits: record.limits }));
  await records.update(id, { limits });
  await settleSlice(context, record.user);
}
