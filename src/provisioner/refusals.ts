import { BerthError } from "../lib/errors.js";
import type { SandboxRecord } from "./records.js";

/** Also what is said of a sandbox that the caller may not see. */
export function sandboxNotFound(id: string): BerthError {
  return new BerthError("SANDBOX_NOT_FOUND", `there is no sandbox ${id}; see berth list`);
}

export function notReady({ id, state, reason }: SandboxRecord): BerthError {
  const because = reason === undefined ? "" : ` (${reason})`;
  return new BerthError("SANDBOX_NOT_READY", `sandbox ${id} is ${state}${because}, not ready`);
}

export function certificatesLost(id: string): BerthError {
  return new BerthError(
    "RECORD_INVALID",
    `sandbox ${id} has lost its certificates; remove it and create it anew`,
  );
}
