import { request } from "node:http";
import { connect, createSecureContext, type SecureContext } from "node:tls";
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
  // Made once: it holds parsed keys outside of V8's heap, and each attempt would make another.
  const secureContext = createSecureContext({
    ca: peer.caPem,
    cert: peer.certPem,
    key: peer.keyPem,
  });
  while (!(await ping(peer, secureContext, signal))) {
    await pause(askEveryMs, signal);
  }
}

/** Whether the sandbox's dockerd answers now. */
function ping(peer: Peer, secureContext: SecureContext, signal: AbortSignal): Promise<boolean> {
  signal.throwIfAborted();
  return new Promise((resolve) => {
    const asked = request(
      {
        path: "/_ping",
        headers: { host: peer.address },
        createConnection: () => connect({ host: peer.address, port: peer.port, secureContext }),
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
