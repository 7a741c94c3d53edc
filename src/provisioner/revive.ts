import type { SandboxState } from "../lib/contract/sandbox.js";
import { codeOf, messageOf } from "../lib/errors.js";
import { bringUp } from "./bring-up.js";
import type { Context } from "./context.js";
import { faultOf } from "./repairs.js";

/** Faults of the host, not of the sandbox: it stays `stopped` and is started when they are over. */
const hostFaults = ["ENGINE_UNREACHABLE", "SYSTEMD_UNREACHABLE", "DISK_FULL"];

/**
 * Says of a sandbox that was ready and does not run that it is stopped. The word of its container's
 * end may be late: somebody may have started it again by now.
 */
export async function markIfDown(context: Context, id: string): Promise<void> {
  if (await isDown(context, id)) await markStopped(context, id);
}

/** Starts a sandbox if it does not run; false when there was nothing to do. */
export async function reviveIfDown(
  context: Context,
  id: string,
  signal: AbortSignal,
): Promise<boolean> {
  if (!(await isDown(context, id))) return false;
  await revive(context, id, signal);
  return true;
}

async function isDown({ records, parts }: Context, id: string): Promise<boolean> {
  const record = records.get(id);
  if (!record || record.state === "creating" || record.state === "removing") return false;
  return faultOf(record, await parts.engine.inventory()) !== undefined;
}

/**
 * Starts a sandbox whose container is not running (a reboot, a crash, `reboot -f` inside): slice and
 * limits first, then the rest. One that does not start is kept, `failed` with the reason, and tried
 * again at longer and longer intervals until it is removed or runs out; its disk stays as it is.
 */
async function revive(context: Context, id: string, signal: AbortSignal): Promise<void> {
  const { records, log, backoff } = context;
  const record = records.get(id);
  if (!record) return;
  await markStopped(context, id);
  backoff.note(id);
  try {
    await bringUp(context, record, signal);
    await tell(context, id, { state: "ready", reason: undefined });
    log.info({ sandbox: id }, "sandbox started again");
  } catch (error) {
    if (signal.aborted) throw error;
    const isHostFault = hostFaults.includes(codeOf(error) ?? "");
    await tell(context, id, {
      state: isHostFault ? "stopped" : "failed",
      reason: messageOf(error),
    });
    log.error({ sandbox: id, err: error }, "a sandbox could not be started again");
    throw error;
  }
}

async function markStopped(context: Context, id: string): Promise<void> {
  if (context.records.get(id)?.state !== "ready") return;
  const reason = "its container stopped; it is being started again";
  await tell(context, id, { state: "stopped", reason });
}

interface Outcome {
  state: SandboxState;
  reason: string | undefined;
}

async function tell({ records, events }: Context, id: string, outcome: Outcome): Promise<void> {
  await records.update(id, outcome);
  events.state(id, {
    state: outcome.state,
    ...(outcome.reason === undefined ? {} : { reason: outcome.reason }),
  });
}
