import { chmod, unlink } from "node:fs/promises";
import { createServer as createHttpServer, type RequestListener, type Server } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { answersAt } from "../lib/answers-at.js";
import { BerthError, codeOf, ignoring, messageOf } from "../lib/errors.js";
import type { Log } from "../lib/log.js";
import { markAsRoot } from "./caller.js";

/** Where the API is served over TCP. */
export interface Address {
  host: string;
  port: number;
  /** PEM; without it plain HTTP. */
  tls?: { cert: Buffer; key: Buffer };
}

/** Both doors of the API; `close` ends them, and the streams that are open. */
export async function listen(
  app: RequestListener,
  socketPath: string,
  address: Address,
  log: Log,
): Promise<{ close: () => Promise<void> }> {
  const onLater = (error: Error) => {
    log.error({ err: error }, "a listening socket has trouble");
  };
  const local = createHttpServer(app);
  local.on("connection", markAsRoot);
  const remote = address.tls ? createHttpsServer(address.tls, app) : createHttpServer(app);
  await removeStaleSocket(socketPath);
  await listening(local, { path: socketPath }, socketPath, onLater);
  const place = `${address.host}:${address.port}`;
  try {
    // The directory is root's alone already; this makes the socket so by itself.
    await chmod(socketPath, 0o600);
    await listening(remote, { host: address.host, port: address.port }, place, onLater);
  } catch (error) {
    // Left open it would keep the process from ending, and answer with nobody behind it.
    await closed(local);
    throw error;
  }
  return {
    close: async () => {
      await Promise.all([closed(local), closed(remote)]);
    },
  };
}

/** A socket that a killed daemon left would keep us from listening; one that answers is another daemon's. */
async function removeStaleSocket(path: string): Promise<void> {
  if (await answersAt(path)) {
    throw new BerthError(
      "ALREADY_RUNNING",
      `a Berth daemon answers at ${path} already; systemctl status berth`,
    );
  }
  await ignoring(unlink(path), "ENOENT");
}

function listening(
  server: Server,
  options: object,
  place: string,
  onLater: (error: Error) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => {
      const taken = codeOf(error) === "EADDRINUSE";
      const hint = taken
        ? "; something else listens there: change listen in the configuration"
        : "";
      reject(
        new BerthError("PORT_TAKEN", `cannot listen at ${place}: ${messageOf(error)}${hint}`, {
          cause: error,
        }),
      );
    });
    server.listen(options, () => {
      server.removeAllListeners("error");
      // Say, no file descriptors left for one connection: that is no end of the daemon.
      server.on("error", onLater);
      resolve();
    });
  });
}

/** How long requests under way may still take before their connections are cut. */
const graceMs = 3_000;
const sweepMs = 50;

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => {
      server.closeAllConnections();
    }, graceMs);
    // Those whose answer or stream ends only now become idle without telling.
    const sweep = setInterval(() => {
      server.closeIdleConnections();
    }, sweepMs);
    server.close(() => {
      clearTimeout(cut);
      clearInterval(sweep);
      resolve();
    });
    server.closeIdleConnections();
  });
}
