import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import { pack } from "tar-stream";
import { bundleFileModes, bundleFileNames } from "../../src/lib/bundle-archive.js";
import {
  resizeRequest,
  steps,
  type ReapResult,
  type Sandbox,
  type Usage,
} from "../../src/lib/contract/sandbox.js";
import type { Me, User } from "../../src/lib/contract/user.js";
import type { ErrorCode } from "../../src/lib/errors.js";

/** How the next creations go. */
export type Course =
  | "ready"
  /** Fails at the step `start`, and leaves nothing. */
  | "fails"
  /** Never gets past the step `slice`. */
  | "hangs"
  /** The daemon is killed in the middle. */
  | "dies"
  /** The daemon is killed in the middle, is back at once and has cleaned up. */
  | "restarts"
  /** Only the events are cut off; the sandbox gets ready. */
  | "loses events";

export interface Seen {
  method: string;
  path: string;
  headers: IncomingMessage["headers"];
  body: unknown;
}

const limits = { memoryBytes: 1024 ** 3, cpus: 1.5, pids: 512, diskBytes: 10 * 1024 ** 3 };

/** A daemon's API for the CLI to talk to: keeps sandboxes and users, makes nothing. */
export class FakeApi {
  course: Course = "ready";
  sandboxes = new Map<string, Sandbox>();
  users = new Map<string, User>();
  /** What the next answers about usage have otherwise. */
  usage: Partial<Usage> = {};
  reaped: ReapResult["actions"] = [];
  seen: Seen[] = [];
  /** Requests answered with this problem, by `METHOD path`. */
  refusals = new Map<string, { code: ErrorCode; status: number; detail: string }>();
  /** Called when such a request has come, by `METHOD path`; it is never answered. */
  silences = new Map<string, () => void>();
  /** Called when a client begins to read a creation's events. */
  onFollowed: () => void = () => undefined;
  /** When set, every request must carry it. */
  token: string | undefined;
  readonly #server: Server;
  readonly #now: Date;
  #nextPort = 21000;

  constructor(now: Date) {
    this.#now = now;
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => response.destroy(error as Error));
    });
  }

  listen(where: string | number): Promise<void> {
    return new Promise((resolve) => {
      if (typeof where === "string") this.#server.listen(where, resolve);
      else this.#server.listen(where, "127.0.0.1", resolve);
    });
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === "object" && address ? address.port : 0;
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => {
        resolve();
      });
      this.#server.closeAllConnections();
    });
  }

  /** A sandbox that is there already. */
  add(id: string, user: string, name = "default", more: Partial<Sandbox> = {}): Sandbox {
    const from = this.#nextPort;
    this.#nextPort += 10;
    const sandbox: Sandbox = {
      id,
      user,
      name,
      profile: "default",
      isolation: "privileged",
      state: "ready",
      createdAt: this.#now.toISOString(),
      expiresAt: new Date(this.#now.getTime() + 2 * 3_600_000).toISOString(),
      dockerHost: `tcp://10.83.0.2:${from - 1000}`,
      ports: { from, to: from + 9 },
      limits,
      slice: `berth-${user}.slice`,
      incidents: [],
      ...more,
    };
    this.sandboxes.set(id, sandbox);
    return sandbox;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "", "http://localhost");
    const path = url.pathname.replace(/^\/v1/, "");
    const text = (await buffer(request)).toString();
    const method = request.method ?? "";
    const body: unknown = text === "" ? undefined : JSON.parse(text);
    this.seen.push({ method, path: path + url.search, headers: request.headers, body });
    const silence = this.silences.get(`${method} ${path}`);
    if (silence) {
      silence();
      return;
    }
    const refusal = this.refusals.get(`${method} ${path}`);
    if (refusal) {
      problem(response, refusal.code, refusal.status, refusal.detail);
      return;
    }
    if (this.token !== undefined && request.headers.authorization !== `Bearer ${this.token}`) {
      problem(response, "UNAUTHENTICATED", 401, "a valid token is needed");
      return;
    }
    const [, noun, key = "", part = ""] = path.split("/");
    if (noun === "sandboxes" && key === "") this.#collection(url, method, body, response);
    else if (noun === "sandboxes")
      await this.#one(key, `${method} ${part}`, request, response, body);
    else if (noun === "users") this.#people(key, method, body, response);
    else if (noun === "reap") json(response, 200, { ...(body as object), actions: this.reaped });
    else if (noun === "me") json(response, 200, rootMe);
    else problem(response, "NOT_FOUND", 404, `there is no ${path}`);
  }

  #collection(url: URL, method: string, body: unknown, response: ServerResponse): void {
    const user = url.searchParams.get("user");
    if (method === "GET") {
      const all = [...this.sandboxes.values()];
      json(response, 200, { sandboxes: all.filter((one) => user === null || one.user === user) });
      return;
    }
    const asked = body as { user: string; name?: string };
    json(response, 202, this.add("new00001", asked.user, asked.name, { state: "creating" }));
  }

  async #one(
    id: string,
    act: string,
    request: IncomingMessage,
    response: ServerResponse,
    body: unknown,
  ): Promise<void> {
    const sandbox = this.sandboxes.get(id);
    if (!sandbox) problem(response, "SANDBOX_NOT_FOUND", 404, `no sandbox ${id}`);
    else if (act === "GET ") json(response, 200, sandbox);
    else if (act === "GET events") this.#events(sandbox, response);
    else if (act === "GET usage") json(response, 200, this.#usage());
    else if (act === "GET bundle") await sendBundle(request, response);
    else if (act === "POST extend") {
      const hours = Number((body as { ttl: string }).ttl.replace("h", ""));
      const end = Date.parse(sandbox.expiresAt) + hours * 3_600_000;
      sandbox.expiresAt = new Date(end).toISOString();
      json(response, 200, sandbox);
    } else if (act === "POST resize") {
      const { memory, cpus, pids, disk } = resizeRequest.parse(body);
      sandbox.limits = {
        memoryBytes: memory ?? sandbox.limits.memoryBytes,
        cpus: cpus ?? sandbox.limits.cpus,
        pids: pids ?? sandbox.limits.pids,
        diskBytes: disk ?? sandbox.limits.diskBytes,
      };
      json(response, 200, sandbox);
    } else if (act === "DELETE ") {
      this.sandboxes.delete(id);
      response.writeHead(204).end();
    } else problem(response, "METHOD_NOT_ALLOWED", 405, act);
  }

  #people(name: string, method: string, body: unknown, response: ServerResponse): void {
    if (method === "GET") json(response, 200, { users: [...this.users.values()] });
    else if (method === "PUT") response.writeHead(204).end();
    else if (method === "PATCH") {
      const user = this.users.get(name);
      if (!user) problem(response, "USER_NOT_FOUND", 404, `no user ${name}`);
      else json(response, 200, Object.assign(user, body));
    } else if (method === "DELETE") {
      const removedSandboxes = [...this.sandboxes.values()]
        .filter(({ user }) => user === name)
        .map(({ id }) => id);
      if (!this.users.delete(name)) problem(response, "USER_NOT_FOUND", 404, `no user ${name}`);
      else json(response, 200, { name, removedSandboxes });
    } else {
      const { name, role } = body as Pick<User, "name" | "role">;
      const user = {
        name,
        role,
        createdAt: this.#now.toISOString(),
        groups: [],
        hasToken: true,
        hasPassword: false,
      };
      this.users.set(name, user);
      json(response, 201, { ...user, token: "berth_secret" });
    }
  }

  #events(sandbox: Sandbox, response: ServerResponse): void {
    const at = this.#now.toISOString();
    const send = (event: string, data: object) =>
      response.write(`event: ${event}\ndata: ${JSON.stringify({ ...data, at })}\n\n`);
    response.writeHead(200, { "content-type": "text/event-stream" });
    send("state", { state: "creating" });
    send("step", { step: "slice", status: "started" });
    this.onFollowed();
    if (this.course === "hangs") return;
    send("step", { step: "slice", status: "done", ms: 2 });
    if (this.course === "ready") {
      for (const step of steps.slice(1)) send("step", { step, status: "done", ms: 12.4 });
      sandbox.state = "ready";
      send("state", { state: "ready", ms: 640 });
    } else this.#misfortune(sandbox, response, send);
  }

  #misfortune(
    sandbox: Sandbox,
    response: ServerResponse,
    send: (event: string, data: object) => void,
  ): void {
    if (this.course === "fails") {
      this.sandboxes.delete(sandbox.id);
      send("step", { step: "start", status: "failed", ms: 30_000 });
      send("state", { state: "removing" });
      const detail = "the engine of new00001 did not start: \u001b[31mno space left on device";
      send("state", {
        state: "failed",
        problem: problemOf("ENGINE_START_FAILED", 500, detail),
      });
      return;
    }
    if (this.course === "restarts") this.sandboxes.delete(sandbox.id);
    if (this.course === "loses events") sandbox.state = "ready";
    if (this.course === "dies") this.#server.close();
    // What was written must have left before the connection is cut.
    response.write(": bye\n\n", () => {
      setImmediate(() => {
        if (this.course === "dies") this.#server.closeAllConnections();
        else response.destroy();
      });
    });
  }

  #usage(): Usage {
    return {
      at: this.#now.toISOString(),
      memory: { usedBytes: 256 * 1024 ** 2, limitBytes: limits.memoryBytes, kills: 0 },
      cpu: { usedSeconds: 3.21, limitCpus: limits.cpus, throttledPercent: 0 },
      pids: { used: 21, limit: limits.pids, limitHits: 0 },
      disk: {
        usedBytes: 1024 ** 3,
        limitBytes: limits.diskBytes,
        freeBytes: 9 * 1024 ** 3,
        freeInodes: 1_200_000,
      },
      ...this.usage,
    };
  }
}

const rootMe: Me = {
  role: "admin",
  sandboxesPerUser: 3,
  ttl: { defaultMs: 24 * 3_600_000, maxMs: 7 * 24 * 3_600_000 },
  profiles: [
    {
      name: "default",
      description: "An empty Docker Engine",
      isolation: "privileged",
      ttlMs: 24 * 3_600_000,
      limits,
      images: [],
      ready: true,
    },
    {
      name: "databases",
      description: "For the course",
      isolation: "userns",
      ttlMs: 4 * 3_600_000,
      limits,
      images: ["postgres:17"],
      ready: false,
    },
  ],
  maxLimits: limits,
};

/** The contents of a bundle: each file holds its own name. */
async function sendBundle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.headers.accept?.startsWith("application/zip")) {
    response.writeHead(200, { "content-type": "application/zip" }).end("PK\u0003\u0004 a zip");
    return;
  }
  const tar = pack();
  for (const name of bundleFileNames) tar.entry({ name, mode: bundleFileModes[name] }, name);
  tar.finalize();
  const bytes = await buffer(tar);
  response.writeHead(200, { "content-type": "application/x-tar" }).end(bytes);
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function problemOf(code: ErrorCode, status: number, detail: string) {
  return { type: `urn:berth:error:${code}`, title: code, status, detail, code };
}

function problem(response: ServerResponse, code: ErrorCode, status: number, detail: string): void {
  response
    .writeHead(status, { "content-type": "application/problem+json" })
    .end(JSON.stringify(problemOf(code, status, detail)));
}
