import type { SandboxState } from "../lib/contract/sandbox.js";
import { codeOf, messageOf } from "../lib/errors.js";
import { bringUp } from "./bring-up.js";
import type { Context } from "./context.js";

/** Faults of the host, not of the sandbox: it stays `stopped` and is started when they are over. */
const hostFaults = ["ENGINE_UNREACHABLE", "SYSTEMD_UNREACHABLE", "DISK_FULL"];

/**
 * Starts a sandbox whose container is not running (a reboot, a crash, `reboot -f` inside): slice and
 * limits first, then the rest. One that does not start is kept, `failed` with the reason, and tried
 * again at longer and longer intervals until it is removed or runs out; its disk stays as it is.
 */
export async function revive(context: Context, id: string, signal: AbortSignal): Promise<void> {
  const { records, events, log, backoff } = context;
  const record = records.get(id);
  if (!record || record.state === "creating" || record.state === "removing") return;
  if (record.state === "ready") {
    await settle({ state: "stopped", reason: "its container stopped; it is being started again" });
  }
  backoff.note(id);
  try {
    await bringUp(context, record, signal);
    await settle({ state: "ready", reason: undefined });
    log.info({ sandbox: id }, "sandbox started again");
  } catch (error) {
    if (signal.aborted) throw error;
    const isHostFault = hostFaults.includes(codeOf(error) ?? "");
    await settle({ state: isHostFault ? "stopped" : "failed", reason: messageOf(error) });
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
