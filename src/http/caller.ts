import type { Socket } from "node:net";
import type { Request } from "express";
import type { Role } from "../lib/contract/user.js";
import { BerthError } from "../lib/errors.js";

/** Who asks: root over the unix socket (no name), or a user. */
export interface Caller {
  name: string | undefined;
  role: Role;
}

/** Connections that came through the unix socket; its file mode lets only root connect. */
const rootConnections = new WeakSet<Socket>();

export function markAsRoot(connection: Socket): void {
  rootConnections.add(connection);
}

export function isRoot(request: Request): boolean {
  return rootConnections.has(request.socket);
}

/** The token a request names; undefined for none. */
export function tokenOf(request: Request): string | undefined {
  const [scheme, token] = (request.headers.authorization ?? "").split(" ");
  return scheme?.toLowerCase() === "bearer" && token ? token : undefined;
}

export function unauthenticated(why?: string): BerthError {
  return new BerthError(
    "UNAUTHENTICATED",
    why ??
      "this needs a session or a token: sign in on the page, or send `Authorization: Bearer <token>` (an admin makes one with berth user add)",
  );
}

/** @throws BerthError FORBIDDEN */
export function mustBeAdmin(caller: Caller): void {
  if (caller.role !== "admin") throw new BerthError("FORBIDDEN", "only admins may do this");
}

/** Users see what is theirs, admins everything. */
export function maySee(caller: Caller, owner: string): boolean {
  return caller.role === "admin" || caller.name === owner;
}
