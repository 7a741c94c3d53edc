import type { Context } from "./context.js";
import { markIfDown, reviveIfDown } from "./revive.js";

/**
 * Starts a sandbox again as soon as its container stops by itself.
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
  return parts.engine.watch((id) => {
    void inBackground(id, () => markIfDown(context, id)).then(() => {
      setTimeout(() => {
        void inBackground(id, () => reviveIfDown(context, id, closing));
      }, backoff.waitMs(id)).unref();
    });
  });
}
