import type { Socket } from "node:net";
import type { Request } from "express";
import type { Role, User } from "../lib/contract/user.js";
import { BerthError } from "../lib/errors.js";

/** Who asks: root over the unix socket (no name), or a user by token. */
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

/**
 * Finds out who asks.
 * @throws BerthError UNAUTHENTICATED
 */
export async function identify(
  request: Request,
  authenticate: (token: string) => Promise<User | undefined>,
): Promise<Caller> {
  if (isRoot(request)) return { name: undefined, role: "admin" };
  const token = tokenOf(request);
  if (token === undefined) {
    throw new BerthError(
      "UNAUTHENTICATED",
      "this needs a token: send `Authorization: Bearer <token>` (an admin makes one with berth user add)",
    );
  }
  const user = await authenticate(token);
  if (!user) {
    throw new BerthError("UNAUTHENTICATED", "the token is not valid; ask an admin for a new one");
  }
  return { name: user.name, role: user.role };
}

/** @throws BerthError FORBIDDEN */
export function mustBeAdmin(caller: Caller): void {
  if (caller.role !== "admin") throw new BerthError("FORBIDDEN", "only admins may do this");
}

/** Users see what is theirs, admins everything. */
export function maySee(caller: Caller, owner: string): boolean {
  return caller.role === "admin" || caller.name === owner;
}
