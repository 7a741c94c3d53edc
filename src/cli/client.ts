import { apiRequest } from "../lib/api/request.js";
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
  user,
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

const one = "/v1/sandboxes/{id}";

/** The API, one method per operation. Rejects with a BerthError that carries the server's code. */
export class ApiClient {
  readonly #http: Transport;

  constructor(connection: Connection, uid?: number) {
    this.#http = new Transport(connection, uid);
  }

  /** Resolves at once with a sandbox that is being made; `events` tells how it goes. */
  create(body: CreateBody, signal?: AbortSignal): Promise<Sandbox> {
    const manner = { prefer: "respond-async", ...(signal ? { signal } : {}) };
    return this.#http.json(sandbox, apiRequest("post", "/v1/sandboxes", { body }), manner);
  }

  /** The sandbox's history from the start of its creation, then what happens to it, without end. */
  async *events(id: string, signal?: AbortSignal): AsyncGenerator<SandboxEvent> {
    const body = await this.#http.send(apiRequest("get", `${one}/events`, { path: { id } }), {
      accept: "text/event-stream",
      endless: true,
      ...(signal ? { signal } : {}),
    });
    yield* readEvents(body);
  }

  async list(user?: string): Promise<Sandbox[]> {
    const query = user === undefined ? {} : { user };
    const asked = apiRequest("get", "/v1/sandboxes", { query });
    return (await this.#http.json(sandboxList, asked)).sandboxes;
  }

  sandbox(id: string): Promise<Sandbox> {
    return this.#http.json(sandbox, apiRequest("get", one, { path: { id } }));
  }

  usage(id: string): Promise<Usage> {
    return this.#http.json(usage, apiRequest("get", `${one}/usage`, { path: { id } }));
  }

  extend(id: string, ttl: string): Promise<Sandbox> {
    const asked = apiRequest("post", `${one}/extend`, { path: { id }, body: { ttl } });
    return this.#http.json(sandbox, asked);
  }

  /** Resolves when the new limits are in force. */
  resize(id: string, body: LimitsBody): Promise<Sandbox> {
    return this.#http.json(sandbox, apiRequest("post", `${one}/resize`, { path: { id }, body }));
  }

  verify(id: string): Promise<Verification> {
    return this.#http.json(verification, apiRequest("post", `${one}/verify`, { path: { id } }));
  }

  bundle(id: string, format: "zip" | "x-tar"): Promise<Buffer> {
    const asked = apiRequest("get", `${one}/bundle`, { path: { id } });
    return this.#http.bytes(asked, { accept: `application/${format}` });
  }

  /** Resolves when the sandbox and all that was its is gone. */
  async remove(id: string, signal?: AbortSignal): Promise<void> {
    const asked = apiRequest("delete", one, { path: { id } });
    await this.#http.bytes(asked, signal ? { signal } : {});
  }

  reap(dryRun: boolean): Promise<ReapResult> {
    return this.#http.json(reapResult, apiRequest("post", "/v1/reap", { body: { dryRun } }));
  }

  me(): Promise<Me> {
    return this.#http.json(me, apiRequest("get", "/v1/me"));
  }

  async users(): Promise<User[]> {
    return (await this.#http.json(userList, apiRequest("get", "/v1/users"))).users;
  }

  addUser(
    name: string,
    more: { role: Role; password?: string; groups?: string[] },
  ): Promise<AddedUser> {
    const body = { name, ...more };
    return this.#http.json(addedUser, apiRequest("post", "/v1/users", { body }));
  }

  async setPassword(name: string, password: string): Promise<void> {
    const path = "/v1/users/{name}/password";
    await this.#http.bytes(apiRequest("put", path, { path: { name }, body: { password } }));
  }

  changeUser(name: string, body: { role?: Role; groups?: string[] }): Promise<User> {
    return this.#http.json(user, apiRequest("patch", "/v1/users/{name}", { path: { name }, body }));
  }

  removeUser(name: string): Promise<{ name: string; removedSandboxes: string[] }> {
    const asked = apiRequest("delete", "/v1/users/{name}", { path: { name } });
    return this.#http.json(removedUser, asked);
  }

  close(): Promise<void> {
    return this.#http.close();
  }
}
