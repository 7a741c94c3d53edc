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
  if (record && record.state !== "removing") await records.update(id, { state: "removing" });
  events.state(id, { state: "removing" });
  await parts.door.close(id);
  await parts.engine.remove(id);
  await parts.disks.remove(id);
  if (record) await settleSlice(context, record.user);
  await records.remove(id);
}
