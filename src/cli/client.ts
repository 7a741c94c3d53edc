import {
  reapResult,
  sandbox,
  sandboxList,
  usage,
  type ReapResult,
  type Sandbox,
  type Usage,
} from "../lib/contract/sandbox.js";
import {
  addedUser,
  me,
  removedUser,
  userList,
  type AddedUser,
  type Me,
  type Role,
  type User,
} from "../lib/contract/user.js";
import { verification, type Verification } from "../lib/contract/verify.js";
import type { Connection } from "./connection.js";
import { readEvents, type SandboxEvent } from "./events.js";
import { Transport } from "./transport.js";

/** Limits as they are asked for: texts as typed, already checked against the contract. */
export interface LimitsBody {
  memory?: string;
  cpus?: string;
  pids?: string;
  disk?: string;
}

/** What `berth create` asks for, likewise. */
export interface CreateBody extends LimitsBody {
  user: string;
  name?: string;
  profile?: string;
  ttl?: string;
}

/** The API, one method per operation. Rejects with a BerthError that carries the server's code. */
export class ApiClient {
  readonly #http: Transport;

  constructor(connection: Connection, uid?: number) {
    this.#http = new Transport(connection, uid);
  }

  /** Resolves at once with a sandbox that is being made; `events` tells how it goes. */
  create(body: CreateBody, signal?: AbortSignal): Promise<Sandbox> {
    return this.#http.json(sandbox, {
      method: "POST",
      path: "/sandboxes",
      body,
      prefer: "respond-async",
      ...(signal ? { signal } : {}),
    });
  }

  /** The sandbox's history from the start of its creation, then what happens to it, without end. */
  async *events(id: string, signal?: AbortSignal): AsyncGenerator<SandboxEvent> {
    const body = await this.#http.send({
      method: "GET",
      path: `/sandboxes/${id}/events`,
      accept: "text/event-stream",
      endless: true,
      ...(signal ? { signal } : {}),
    });
    yield* readEvents(body);
  }

  async list(user?: string): Promise<Sandbox[]> {
    const answer = await this.#http.json(sandboxList, {
      method: "GET",
      path: "/sandboxes",
      ...(user === undefined ? {} : { query: { user } }),
    });
    return answer.sandboxes;
  }

  sandbox(id: string): Promise<Sandbox> {
    return this.#http.json(sandbox, { method: "GET", path: `/sandboxes/${id}` });
  }

  usage(id: string): Promise<Usage> {
    return this.#http.json(usage, { method: "GET", path: `/sandboxes/${id}/usage` });
  }

  extend(id: string, ttl: string): Promise<Sandbox> {
    return this.#http.json(sandbox, {
      method: "POST",
      path: `/sandboxes/${id}/extend`,
      body: { ttl },
    });
  }

  /** Resolves when the new limits are in force. */
  resize(id: string, limits: LimitsBody): Promise<Sandbox> {
    return this.#http.json(sandbox, {
      method: "POST",
      path: `/sandboxes/${id}/resize`,
      body: limits,
    });
  }

  verify(id: string): Promise<Verification> {
    return this.#http.json(verification, { method: "POST", path: `/sandboxes/${id}/verify` });
  }

  bundle(id: string, format: "zip" | "x-tar"): Promise<Buffer> {
    return this.#http.bytes({
      method: "GET",
      path: `/sandboxes/${id}/bundle`,
      accept: `application/${format}`,
    });
  }

  /** Resolves when the sandbox and all that was its is gone. */
  async remove(id: string, signal?: AbortSignal): Promise<void> {
    const path = `/sandboxes/${id}`;
    await this.#http.bytes({ method: "DELETE", path, ...(signal ? { signal } : {}) });
  }

  reap(dryRun: boolean): Promise<ReapResult> {
    return this.#http.json(reapResult, { method: "POST", path: "/reap", body: { dryRun } });
  }

  me(): Promise<Me> {
    return this.#http.json(me, { method: "GET", path: "/me" });
  }

  async users(): Promise<User[]> {
    return (await this.#http.json(userList, { method: "GET", path: "/users" })).users;
  }

  addUser(
    name: string,
    more: { role: Role; password?: string; groups?: string[] },
  ): Promise<AddedUser> {
    return this.#http.json(addedUser, { method: "POST", path: "/users", body: { name, ...more } });
  }

  async setPassword(name: string, password: string): Promise<void> {
    const path = `/users/${name}/password`;
    await this.#http.bytes({ method: "PUT", path, body: { password } });
  }

  removeUser(name: string): Promise<{ name: string; removedSandboxes: string[] }> {
    return this.#http.json(removedUser, { method: "DELETE", path: `/users/${name}` });
  }

  close(): Promise<void> {
    return this.#http.close();
  }
}
