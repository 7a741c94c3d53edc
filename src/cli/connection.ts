import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { BerthError, ignoring } from "../lib/errors.js";
import type { ConnectionSettings } from "./deps.js";
import { jsonOf } from "./json.js";

/** Which API the CLI talks to. */
export type Connection =
  | { kind: "url"; url: string; token?: string; caFile?: string }
  | { kind: "socket"; socket: string }
  | { kind: "embedded"; socket: string; pid: number };

/** What is to be seen on this machine. */
export interface Sight {
  socketExists: boolean;
  embeddedHost?: EmbeddedHost;
}

export interface EmbeddedHost {
  /** Its PID 1, as this machine numbers it. */
  pid: number;
  /** The daemon's socket, seen through that process's root. */
  socket: string;
}

/** A URL that was asked for, else this machine's socket, else the embedded host's. */
export function chooseConnection(settings: ConnectionSettings, sight: Sight): Connection {
  if (settings.url !== undefined && settings.url !== "") {
    return {
      kind: "url",
      url: checkedUrl(settings.url),
      ...(settings.token === undefined ? {} : { token: settings.token.trim() }),
      ...(settings.caFile === undefined ? {} : { caFile: settings.caFile }),
    };
  }
  const host = sight.embeddedHost;
  if (!sight.socketExists && host) {
    return { kind: "embedded", socket: checkedSocket(host.socket), pid: host.pid };
  }
  return { kind: "socket", socket: checkedSocket(settings.socket) };
}

/**
 * Whether a verb that works on the machine itself belongs inside the embedded host: it is up, and
 * no daemon of this machine's own has ever run here (that makes the socket's directory).
 */
export function belongsInHost(sight: { runDirExists: boolean; embeddedUp: boolean }): boolean {
  return sight.embeddedUp && !sight.runDirExists;
}

export async function look(settings: ConnectionSettings): Promise<Sight> {
  const embeddedHost = await findEmbeddedHost(settings);
  return {
    socketExists: existsSync(settings.socket),
    ...(embeddedHost ? { embeddedHost } : {}),
  };
}

const hostState = z.object({ pid: z.int().positive(), startTime: z.number() });

/** The embedded host, if it is up: the state file may outlive it, and its pid may be another's now. */
export async function findEmbeddedHost(
  settings: ConnectionSettings,
): Promise<EmbeddedHost | undefined> {
  const text = await ignoring(readFile(settings.embeddedStateFile, "utf8"), "ENOENT", "EACCES");
  if (text === undefined) return undefined;
  const state = hostState.safeParse(jsonOf(text));
  if (!state.success) return undefined;
  const { pid, startTime } = state.data;
  const process = path.join(settings.procDir ?? "/proc", String(pid));
  const stat = await ignoring(readFile(path.join(process, "stat"), "utf8"), "ENOENT", "ESRCH");
  if (stat === undefined || startTimeOf(stat) !== startTime) return undefined;
  return { pid, socket: path.join(process, "root/run/berth/berth.sock") };
}

/** Field 22 of /proc/<pid>/stat (proc(5)), in clock ticks after boot. */
export function startTimeOf(stat: string): number {
  // Field 2 is the program's name in parentheses and may hold anything, even ") ".
  const fromThird = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fromThird[22 - 3]);
}

function checkedUrl(url: string): string {
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return url.replace(/\/+$/, "");
  throw new BerthError(
    "CONFIG_INVALID",
    `"${url}" is no address of a Berth; write BERTH_URL or --url like http://host:8420`,
  );
}

/** sun_path of sockaddr_un (unix(7)) holds 108 bytes with its final zero. */
const longestSocketPath = 107;

function checkedSocket(socket: string): string {
  if (Buffer.byteLength(socket) <= longestSocketPath) return socket;
  throw new BerthError(
    "CONFIG_INVALID",
    `the socket path ${socket} is longer than ${longestSocketPath} bytes, which no unix socket can be`,
  );
}
