import type { Sandbox } from "../../lib/contract/sandbox.js";
import type { SandboxRecord } from "../../provisioner/records.js";
import { sandboxNotFound } from "../../provisioner/refusals.js";
import { viewOf } from "../../provisioner/view.js";
import { maySee, type Caller } from "../caller.js";
import type { HttpContext } from "../context.js";

/** The sandbox of the path, if the caller may see it; others' look as if they were not there. */
export function theirs(
  { provisioner }: HttpContext,
  caller: Caller,
  params: Record<string, string>,
): SandboxRecord {
  const id = params["id"] ?? "";
  const record = provisioner.get(id);
  if (!maySee(caller, record.user)) throw sandboxNotFound(id);
  return record;
}

/** The sandbox as the API tells it. */
export function view({ provisioner }: HttpContext, record: SandboxRecord): Sandbox {
  return viewOf(record, {
    slice: provisioner.sliceOf(record.user),
    incidents: provisioner.incidents.of(record.id),
    maxTtlMs: provisioner.settingsOf(record.user).maxTtlMs,
  });
}
