import { BerthError } from "../../src/lib/errors.js";
import type { Limits } from "../../src/lib/limits.js";

/** As strict as cgroup v1 is with processor time: nothing running may have more than its slice. */
export function mustAllow(slice: Limits, container: Limits): void {
  const keys = ["memoryBytes", "cpus", "pids"] as const;
  if (keys.every((key) => container[key] <= slice[key])) return;
  throw new BerthError("SLICE_LIMITS_NOT_APPLIED", "a container would have more than its slice");
}
