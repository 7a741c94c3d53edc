import type { Sandbox } from "../lib/contract/sandbox.js";
import { BerthError, codeOf, ignoring, messageOf } from "../lib/errors.js";
import type { ApiClient, CreateBody } from "./client.js";
import { referenceOf } from "./describe.js";
import { Interrupted } from "./failure.js";
import { followCreation } from "./follow.js";
import { Progress } from "./progress.js";
import type { Session } from "./session.js";

/** Has a sandbox made and shows how it goes; an interrupt removes what was made of it. */
export async function createSandbox(session: Session, body: CreateBody): Promise<Sandbox> {
  const api = await session.api();
  const interrupt = new AbortController();
  // A second interrupt also gives up the clean-up.
  const insistence = new AbortController();
  const off = session.deps.onInterrupt(() => {
    if (interrupt.signal.aborted) insistence.abort();
    interrupt.abort();
  });
  try {
    // Not cut short by the first interrupt: without the answer there is no id to remove.
    const begun = await api.create(body, insistence.signal);
    try {
      return await untilReady(session, api, begun, interrupt.signal);
    } catch (error) {
      if (!interrupt.signal.aborted) throw error;
      throw await takenBack(session, api, begun, insistence.signal);
    }
  } catch (error) {
    if (!insistence.signal.aborted || error instanceof Interrupted) throw error;
    throw new Interrupted(
      "interrupted before the daemon answered; `berth list` shows what is there",
    );
  } finally {
    off();
  }
}

async function untilReady(
  session: Session,
  api: ApiClient,
  begun: Sandbox,
  signal: AbortSignal,
): Promise<Sandbox> {
  const progress = new Progress(session.deps.stderr);
  try {
    signal.throwIfAborted();
    // A daemon that does not know `Prefer: respond-async` answers when all is done.
    if (begun.state !== "ready") await followCreation(api.events(begun.id, signal), progress);
  } catch (error) {
    if (signal.aborted || !lossCodes.includes(codeOf(error) ?? "")) throw error;
    await explainLoss(api, begun, error);
  } finally {
    progress.clear();
  }
  return api.sandbox(begun.id);
}

/** The daemon went away, or came back without the sandbox. */
const lossCodes = ["DAEMON_UNREACHABLE", "SANDBOX_NOT_FOUND"];

/** Returns if the sandbox is ready all the same: only the stream was lost. */
async function explainLoss(api: ApiClient, begun: Sandbox, loss: unknown): Promise<void> {
  const now = await api.sandbox(begun.id).catch((error: unknown) => error);
  if (now instanceof Error) {
    if (codeOf(now) !== "SANDBOX_NOT_FOUND") throw goneAway(begun, loss);
    throw new BerthError(
      "CREATE_CANCELLED",
      `${begun.id} was gone before it was ready: removed by someone, or cleared away by a daemon that restarted; create it again`,
    );
  }
  const { state } = now as Sandbox;
  if (state === "ready") return;
  throw new BerthError(
    "DAEMON_UNREACHABLE",
    `lost sight of ${begun.id} while it was made: ${messageOf(loss)}; its state is ${state} now, \`berth show ${begun.id}\` tells on`,
  );
}

function goneAway(begun: Sandbox, loss: unknown): BerthError {
  return new BerthError(
    "DAEMON_UNREACHABLE",
    `the daemon went away while it made ${begun.id} (${messageOf(loss)}); ` +
      "when it is back it clears away what is half made. `berth list` shows what there is",
  );
}

async function takenBack(
  session: Session,
  api: ApiClient,
  begun: Sandbox,
  signal: AbortSignal,
): Promise<Interrupted> {
  session.out.note(`Interrupted: removing ${begun.id} ...`);
  try {
    await ignoring(api.remove(begun.id, signal), "SANDBOX_NOT_FOUND");
    return new Interrupted(`interrupted; ${referenceOf(begun)} (${begun.id}) was taken back`);
  } catch (error) {
    const why = signal.aborted ? "interrupted again" : messageOf(error);
    return new Interrupted(
      `interrupted, and ${begun.id} may still be there (${why}); run \`berth remove ${begun.id}\``,
    );
  }
}
