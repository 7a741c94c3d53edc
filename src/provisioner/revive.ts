import type { SandboxState } from "../lib/contract/sandbox.js";
import { messageOf } from "../lib/errors.js";
import { bringUp } from "./bring-up.js";
import type { Context } from "./context.js";

/**
 * Starts a sandbox whose container is not running (a reboot, a crash, `reboot -f` inside): slice and
 * limits first, then the rest. One that does not start is kept as `failed`, with the reason, until
 * it is removed or runs out; its disk stays as it is.
 */
export async function revive(context: Context, id: string, signal: AbortSignal): Promise<void> {
  const { records, events, log } = context;
  const record = records.get(id);
  if (!record || record.state === "creating" || record.state === "removing") return;
  if (record.state === "ready") {
    await settle({ state: "stopped", reason: "its container stopped; it is being started again" });
  }
  try {
    await bringUp(context, record, signal);
    await settle({ state: "ready", reason: undefined });
    log.info({ sandbox: id }, "sandbox started again");
  } catch (error) {
    if (signal.aborted) throw error;
    await settle({ state: "failed", reason: messageOf(error) });
    log.error({ sandbox: id, err: error }, "a sandbox could not be started again");
    throw error;
  }

  async function settle(change: { state: SandboxState; reason: string | undefined }) {
    await records.update(id, change);
    events.state(id, {
      state: change.state,
      ...(change.reason === undefined ? {} : { reason: change.reason }),
    });
  }
}
