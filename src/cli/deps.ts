import type { Readable, Writable } from "node:stream";
import type { LocalVerbs } from "./local.js";

/** All that the CLI takes from outside; main.ts fills it, tests put their own. */
export interface CliDeps {
  version: string;
  stdin: TerminalInput;
  stdout: Terminal;
  stderr: Terminal;
  /** What relative paths on the command line start from. */
  cwd: string;
  home: string;
  /** Of the process, for hints; absent where the system has none. */
  uid?: number;
  now(): Date;
  connection: ConnectionSettings;
  local: LocalVerbs;
  /**
   * Runs `berth <argv>` inside the embedded host with this process's stdin, stdout and stderr, and
   * gives its exit code. Absent where there is no scripts/host.
   */
  hostExec?: (argv: string[]) => Promise<number>;
  /**
   * Calls `handler` at each SIGINT or SIGTERM instead of ending the process, until the function it
   * returned is called.
   */
  onInterrupt(handler: () => void): () => void;
  /** Ends the process after so long, whatever it waits for; it may well end before. */
  endWithin(ms: number): void;
}

export interface Terminal extends Writable {
  isTTY?: boolean;
  columns?: number;
}

export interface TerminalInput extends Readable {
  isTTY?: boolean;
}

export interface ConnectionSettings {
  /** BERTH_URL; before the sockets when set. */
  url?: string;
  /** BERTH_TOKEN, sent to a URL only: over a socket, root is who asks. */
  token?: string;
  /** BERTH_CA: a PEM file to trust beside the system's own, for a self-signed https URL. */
  caFile?: string;
  /** The daemon's own socket, /run/berth/berth.sock. */
  socket: string;
  /** What scripts/host writes while the embedded host is up, /run/berth-host/state.json. */
  embeddedStateFile: string;
  /** Where procfs is; /proc unless a test says otherwise. */
  procDir?: string;
}
