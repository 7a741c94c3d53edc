import { expect } from "vitest";
import type { Sandbox } from "../../src/lib/contract/sandbox.js";
import { ok, onHost } from "../e2e/support.js";

/** What the kernel charges ahead per processor (mm/memcontrol.c, MEMCG_CHARGE_BATCH), and then some. */
const chargedAhead = 1024 ** 2;

/** What a sandbox takes of its limits. */
export interface Footprint {
  pids: number;
  /** The most memory it ever had. */
  peakBytes: number;
  /** Of its disk image, on the host's. */
  diskBytes: number;
}

/** Reads on the host what a sandbox takes, and holds that against its limits. */
export async function withinLimits({ id, slice, limits }: Sandbox): Promise<Footprint> {
  // The first of each line is cgroup v2's.
  const text = ok(
    await onHost(`
      cd /sys/fs/cgroup
      v1=memory/berth.slice v2=berth.slice
      cat $v2/'${slice}'/pids.current pids/$v2/'${slice}'/pids.current 2>/dev/null
      cat $v2/'${slice}'/memory.current $v1/'${slice}'/memory.usage_in_bytes 2>/dev/null
      cat $v2/'${slice}'/memory.peak $v1/'${slice}'/memory.max_usage_in_bytes 2>/dev/null
      stat -c '%b %B %s' /var/lib/berth/sandboxes/${id}/disk.img`),
  );
  const [pids = NaN, memory = NaN, peakBytes = NaN, blocks = NaN, blockSize = NaN, size = NaN] =
    text.split(/\s+/).map(Number);
  const diskBytes = blocks * blockSize;
  expect(pids).toBeLessThanOrEqual(limits.pids);
  expect(memory).toBeLessThanOrEqual(limits.memoryBytes + chargedAhead);
  expect(peakBytes).toBeLessThanOrEqual(limits.memoryBytes + chargedAhead);
  expect(size).toBe(limits.diskBytes);
  expect(diskBytes).toBeLessThanOrEqual(limits.diskBytes);
  return { pids, peakBytes, diskBytes };
}
