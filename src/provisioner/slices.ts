import { sumLimits } from "../lib/limits.js";
import type { Context } from "./context.js";

/**
 * Makes the user's slice as large as their sandboxes together; gives it up when they have none left.
 * @param leaving a sandbox that no longer counts, whatever its record says
 */
export function settleSlice(
  { parts, records, userLocks }: Context,
  user: string,
  leaving?: string,
): Promise<void> {
  return userLocks.run(user, async () => {
    const theirs = records
      .all()
      .filter((record) => record.user === user && record.state !== "removing")
      .filter(({ id }) => id !== leaving);
    if (theirs.length === 0) await parts.slices.release(user);
    else await parts.slices.ensure(user, sumLimits(theirs.map((record) => record.limits)));
  });
}
