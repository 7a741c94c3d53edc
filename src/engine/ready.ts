import { request } from "node:https";
import type { Peer } from "../lib/model.js";

/**
 * How often a dockerd that does not listen yet is asked. TCP has no event for "listens now" and the
 * sandbox's files are not ours to watch; a refused connection costs well under a millisecond.
 */
const askEveryMs = 10;
/** An answer of a busy dockerd may take a while; a connection that hangs is tried anew after this. */
const answerTimeoutMs = 5_000;

/** Asks until `/_ping` answers over mutual TLS, or the signal aborts (then it rejects with its reason). */
export async function pingUntilAnswered(peer: Peer, signal: AbortSignal): Promise<void> {
  while (!(await ping(peer, signal))) {
    await pause(askEveryMs, signal);
  }
}

/** Whether the sandbox's dockerd answers now. */
function ping(peer: Peer, signal: AbortSignal): Promise<boolean> {
  signal.throwIfAborted();
  return new Promise((resolve) => {
    const asked = request(
      {
        host: peer.address,
        port: peer.port,
        path: "/_ping",
        ca: peer.caPem,
        cert: peer.certPem,
        key: peer.keyPem,
        agent: false,
        timeout: answerTimeoutMs,
        signal,
      },
      (response) => {
        response.resume();
        response.once("close", () => {
          resolve(response.statusCode === 200);
        });
      },
    );
    asked.once("timeout", () => asked.destroy(new Error("no answer")));
    asked.once("error", () => {
      resolve(false);
    });
    asked.end();
  });
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal.addEventListener("abort", onAbort, { once: true });
  });
}
