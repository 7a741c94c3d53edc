import { allSettled } from "../lib/all-settled.js";
import { BerthError } from "../lib/errors.js";
import type { SandboxLimits } from "../lib/limits.js";
import type { Check, KernelCounters } from "../lib/model.js";
import { formatSize } from "../lib/units.js";
import type { Context } from "./context.js";
import type { Holding } from "./parts.js";
import type { SandboxRecord } from "./records.js";
import { settleSlice } from "./slices.js";

/**
 * The self-test of every start: what is not held as it must be never becomes ready.
 * @throws BerthError ISOLATION_NOT_HELD, SLICE_LIMITS_NOT_APPLIED
 */
export async function mustBeHeld(context: Context, record: SandboxRecord): Promise<void> {
  const [checks] = await allSettled([
    inspect(context, record),
    // Read back once more: a slice that was lost meanwhile would have come back without limits.
    settleSlice(context, record.user),
  ]);
  const faults = checks.filter(({ ok }) => !ok).map(({ name, detail }) => `${name}: ${detail}`);
  if (faults.length === 0) return;
  throw new BerthError(
    "ISOLATION_NOT_HELD",
    `sandbox ${record.id} is not held as it must be and does not start (${faults.join("; ")}); berth doctor may know why`,
  );
}

/** Looks from the host whether the running sandbox is held as its record says. */
export async function inspect(context: Context, record: SandboxRecord): Promise<Check[]> {
  const { engine, isolation, kernel } = context.parts;
  const facts = await engine.facts(record.id);
  const [counters, layers] = await allSettled([
    kernel.counters(facts),
    isolation.inspect(facts, holdingOf(context, record)),
  ]);
  return [checkLimits(record.limits, counters), ...layers];
}

/** The kernel counts memory in pages, of 64 KiB at most. */
const largestPageBytes = 65_536;

/** The container's own limits; those of the slice above are read back by whoever sets them. */
function checkLimits({ memoryBytes, pids }: SandboxLimits, counters?: KernelCounters): Check {
  const name = "limits";
  if (!counters) return { name, ok: false, detail: "its container has no cgroup: it does not run" };
  const memory = counters.memory.limitBytes;
  const ok =
    memory <= memoryBytes &&
    memory > memoryBytes - largestPageBytes &&
    counters.pids.limit === pids;
  const size = Number.isFinite(memory) ? formatSize(memory) : "no limit of";
  return { name, ok, detail: `${size} memory, ${counters.pids.limit} pids in its cgroup` };
}

/** How the record says the sandbox is to be held. */
export function holdingOf({ settings }: Context, record: SandboxRecord): Holding {
  const { isolation, uidBase, network, ports, egress, devices } = record;
  return {
    isolation,
    uidBase,
    ...network,
    ports: { from: ports.from, to: ports.to },
    dns: settings.dns,
    allowPrivate: settings.allowPrivate,
    egress,
    devices,
  };
}
