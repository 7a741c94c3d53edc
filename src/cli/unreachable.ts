import { BerthError, codeOf, messageOf } from "../lib/errors.js";
import type { Connection } from "./connection.js";

/** Why the API could not be asked, what was tried, and the way out. */
export function unreachable(connection: Connection, cause: unknown, uid?: number): BerthError {
  const code = codeOf(cause);
  if (connection.kind !== "url" && (code === "EACCES" || code === "EPERM")) {
    return new BerthError("FORBIDDEN", mayNotOpen(connection.socket, uid), { cause });
  }
  const why = code ?? messageOf(cause);
  return new BerthError(
    "DAEMON_UNREACHABLE",
    `${tried(connection, why)}. ${wayOut(connection, code)}`,
    {
      cause,
    },
  );
}

function mayNotOpen(socket: string, uid: number | undefined): string {
  const who = uid === undefined ? "you" : `you are uid ${uid}, and`;
  return (
    `${who} may not open ${socket}: the socket is root's. ` +
    "Run this as root, or set BERTH_URL and BERTH_TOKEN (an admin makes a token with `berth user add`)"
  );
}

function tried(connection: Connection, why: string): string {
  switch (connection.kind) {
    case "url":
      return `no answer from Berth at ${connection.url} (${why})`;
    case "socket":
      return `no answer from the Berth daemon at ${connection.socket} (${why})`;
    case "embedded":
      return `the embedded host is up, but the Berth daemon in it does not answer at ${connection.socket} (${why})`;
  }
}

function wayOut(connection: Connection, code: string | undefined): string {
  switch (connection.kind) {
    case "url":
      return /CERT|UNABLE_TO_VERIFY/.test(code ?? "")
        ? "Its certificate is not trusted here: name the file of the CA that made it in BERTH_CA"
        : "Check the address in BERTH_URL or --url, and that the daemon runs there";
    case "socket":
      return (
        "Start it with `systemctl start berth`, or the embedded host with `scripts/host up`; " +
        "for a daemon elsewhere set BERTH_URL and BERTH_TOKEN"
      );
    case "embedded":
      return "`scripts/host exec -- journalctl -u berth` says why; `scripts/host exec -- systemctl restart berth` starts it again";
  }
}
