import { BerthError } from "./errors.js";
import { uidsPerSandbox } from "./model.js";

/**
 * The lowest block of 65,536 host uids that no sandbox has; blocks lie side by side from the range's start.
 * @param range both ends included
 * @param used first uids of blocks, whatever range they were given under
 * @throws BerthError UIDS_EXHAUSTED
 */
export function allocateUids(request: {
  range: { from: number; to: number };
  used: readonly number[];
}): number {
  const { from, to } = request.range;
  const used = [...request.used].sort((a, b) => a - b);
  for (let base = from; base + uidsPerSandbox - 1 <= to; base += uidsPerSandbox) {
    const isFree = !used.some((other) => Math.abs(other - base) < uidsPerSandbox);
    if (isFree) return base;
  }
  throw new BerthError(
    "UIDS_EXHAUSTED",
    `no free block of ${uidsPerSandbox} uids in ${from}-${to}: ${used.length} sandboxes have one each; remove sandboxes or widen subordinateUids in the configuration`,
  );
}
