import { ignoring } from "../lib/errors.js";
import type { Context } from "./context.js";
import { settleSlice } from "./slices.js";

/**
 * Removes everything of a sandbox, in the reverse order of its making, its directory last. The one
 * undo of a creation and the whole of a removal. Safe to repeat: what was broken off is finished by
 * calling it again, and until then the record says `removing`.
 */
export async function takeDown(context: Context, id: string): Promise<void> {
  const { parts, records, events } = context;
  const record = records.get(id);
  if (record && record.state !== "removing") {
    // On a full disk removing is the way out: the mark is only for a daemon that dies in the middle.
    await ignoring(records.update(id, { state: "removing" }), "DISK_FULL");
  }
  events.state(id, { state: "removing" });
  await parts.door.close(id);
  await parts.engine.remove(id);
  await parts.disks.remove(id);
  // The kernel may refuse to make the slice smaller while others use it; that is no reason to stay.
  if (record) await ignoring(settleSlice(context, record.user, id), "SLICE_LIMITS_NOT_APPLIED");
  await context.incidents.forget(id, () =>
    context.certificates.forget(id, () => records.remove(id)),
  );
  context.backoff.forget(id);
}
