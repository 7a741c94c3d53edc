import { allSettled } from "../lib/all-settled.js";
import { forEachAtOnce } from "../lib/for-each-at-once.js";
import type { Context } from "./context.js";
import { settleSlice } from "./slices.js";

/** Mostly waiting for the engine. */
const sandboxesAtOnce = 4;

/**
 * At the daemon's start: the network that sandboxes share and the wall around it, and what holds each.
 * Makes slices, containers and disks hold to what the records say, whoever changed them and whatever
 * change of limits the last daemon died in; only what differs is touched. What cannot be set is
 * logged and keeps nothing else from it. Slices first: a container cannot have more than its slice.
 */
export async function restore(context: Context, signal: AbortSignal): Promise<void> {
  const { parts, records, log } = context;
  await allSettled([parts.isolation.raiseWall(), parts.engine.prepareBridge()]).catch(
    (error: unknown) => {
      log.error(
        { err: error },
        "the sandboxes' network could not be prepared; creations try again",
      );
    },
  );
  const users = new Set(records.all().map((record) => record.user));
  for (const user of users) {
    signal.throwIfAborted();
    await settleSlice(context, user).catch((error: unknown) => {
      log.error({ user, err: error }, "the user's slice could not be set");
    });
  }
  await forEachAtOnce(records.all(), sandboxesAtOnce, async ({ id }) => {
    signal.throwIfAborted();
    await settleSandbox(context, id).catch((error: unknown) => {
      log.error({ sandbox: id, err: error }, "the sandbox's limits could not be set");
    });
    return [];
  });
}

async function settleSandbox({ parts, records, sandboxLocks }: Context, id: string): Promise<void> {
  // Whoever makes, resizes or removes one now settles it, or says why not.
  if (sandboxLocks.held(id)) return;
  await sandboxLocks.run(id, async () => {
    const record = records.get(id);
    if (!record || record.state === "creating" || record.state === "removing") return;
    await allSettled([
      parts.engine.settleLimits(id, record.limits),
      parts.disks.grow(id, record.limits.diskBytes),
    ]);
  });
}
