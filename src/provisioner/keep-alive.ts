import type { Context } from "./context.js";
import { markIfDown, reviveIfDown } from "./revive.js";

/**
 * Starts a sandbox again as soon as its container stops by itself; if that fails, again after longer and
 * longer pauses.
 * @param closing aborts when the daemon ends
 * @returns the end of it
 */
export function keepAlive(context: Context, closing: AbortSignal): () => void {
  const { parts, sandboxLocks, backoff, log } = context;
  /** Does something to a sandbox, its lock held, that nobody waits for. */
  const inBackground = async (id: string, act: () => Promise<unknown>) => {
    // While somebody makes, starts or removes it, its container may well stop.
    if (sandboxLocks.held(id) || closing.aborted) return;
    await sandboxLocks.run(id, act).catch((error: unknown) => {
      log.warn({ sandbox: id, err: error }, "it stopped and could not be started yet");
    });
  };
  const reviveSoon = (id: string) => {
    const timer = setTimeout(() => {
      void inBackground(id, async () => {
        try {
          await reviveIfDown(context, id, closing);
        } catch (error) {
          reviveSoon(id);
          throw error;
        }
      });
    }, backoff.waitMs(id));
    timer.unref();
  };
  return parts.engine.watch((id) => {
    void inBackground(id, () => markIfDown(context, id)).then(() => {
      reviveSoon(id);
    });
  });
}
