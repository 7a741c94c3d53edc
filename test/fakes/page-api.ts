import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { ZipFile } from "yazl";
import { steps, type Sandbox } from "../../src/lib/contract/sandbox.js";

// Berth's API without an engine, for what a real one does not show on demand: a creation that fails,
// a server that goes away, a sandbox near its end. Serves the built page (dist/http/page) as Berth does.

const pageDir = fileURLToPath(new URL("../../dist/http/page/", import.meta.url));
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const types: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
};

const limits = { memoryBytes: 2 ** 30, cpus: 1.5, pids: 512, diskBytes: 10 * 2 ** 30 };
const hourMs = 3_600_000;

interface Kept {
  sandbox: Sandbox;
  events: { event: string; data: object }[];
  readers: Set<ServerResponse>;
}

export class PageApi {
  /** How long each step of a creation takes. */
  stepMs = 60;
  /** The step at which the next creations fail. */
  failingStep: string | undefined;
  readonly tokens = new Map<string, { user?: string; role: "user" | "admin" }>();
  readonly kept = new Map<string, Kept>();
  readonly #server = createServer((request, response) => void this.#answer(request, response));
  #count = 0;

  /** Listens; on the same port again when it did before. */
  async start(port = 0): Promise<string> {
    this.#server.listen(port, "127.0.0.1");
    await once(this.#server, "listening");
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Stops answering and cuts every connection, as a server that restarts does. */
  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }

  /** A ready sandbox, without the way to it. */
  add(sandbox: Partial<Sandbox> & { user: string }): Sandbox {
    const id = `k${String(++this.#count).padStart(7, "0")}`;
    const whole: Sandbox = {
      id,
      name: "default",
      profile: "python",
      isolation: "privileged",
      state: "ready",
      warning: "Whoever uses this sandbox can become root on the server. For trusted users only.",
      createdAt: new Date().toISOString(),
      expiresAt: new Date(Date.now() + 24 * hourMs).toISOString(),
      dockerHost: `tcp://127.0.0.1:${22_000 + this.#count}`,
      ports: { from: 23_000 + this.#count * 10, to: 23_009 + this.#count * 10 },
      limits,
      slice: `berth-${sandbox.user}.slice`,
      incidents: [],
      ...sandbox,
    };
    this.kept.set(id, { sandbox: whole, events: [], readers: new Set() });
    return whole;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<unknown> {
    const url = request.url ?? "/";
    if (!url.startsWith("/v1/")) return sendPage(url, response);
    const token = (request.headers.authorization ?? "").replace(/^Bearer /, "");
    const caller = this.tokens.get(token);
    if (!caller) return sendProblem(response, 401, "UNAUTHENTICATED", "No such token.");
    const [, , , id, act = ""] = url.split("/");
    const method = request.method ?? "GET";
    if (url === "/v1/me") return sendJson(response, 200, meOf(caller));
    if (id === undefined) {
      if (method === "POST") return this.#create(caller.user, await bodyOf(request), response);
      const all = [...this.kept.values()].map(({ sandbox }) => sandbox);
      const sandboxes = all.filter(({ user }) => caller.role === "admin" || user === caller.user);
      return sendJson(response, 200, { sandboxes });
    }
    const kept = this.kept.get(id);
    if (!kept) return sendProblem(response, 404, "SANDBOX_NOT_FOUND", `No sandbox ${id}.`);
    return this.#answerOne(`${method} ${act}`.trim(), kept, response);
  }

  #answerOne(what: string, kept: Kept, response: ServerResponse): unknown {
    const { sandbox } = kept;
    if (what === "GET") return sendJson(response, 200, sandbox);
    if (what === "GET usage") return sendJson(response, 200, usageOf(sandbox));
    if (what === "GET bundle") return sendBundle(response);
    if (what === "GET events") return openEvents(kept, response);
    if (what === "DELETE") {
      this.kept.delete(sandbox.id);
      return sendJson(response, 200, sandbox);
    }
    const expiresAt = Date.parse(sandbox.expiresAt) + 2 * hourMs;
    if (expiresAt > Date.now() + 48 * hourMs) {
      return sendProblem(response, 422, "TTL_TOO_LONG", "A sandbox lasts 48h at most.");
    }
    kept.sandbox = { ...sandbox, expiresAt: new Date(expiresAt).toISOString() };
    return sendJson(response, 200, kept.sandbox);
  }

  #create(caller: string | undefined, body: Record<string, string>, response: ServerResponse) {
    const { user = caller ?? "nobody", name = "default", memory } = body;
    if (memory === "1Q") {
      const message = `"1Q" is no size; write it like 512M, 1.5G or 10G`;
      const errors = [{ path: "memory", message }];
      return sendProblem(response, 400, "INVALID_REQUEST", "memory: see there", errors);
    }
    const all = [...this.kept.values()];
    if (all.some(({ sandbox }) => sandbox.user === user && sandbox.name === name)) {
      return sendProblem(response, 409, "SANDBOX_EXISTS", `${user} has a sandbox ${name} already.`);
    }
    const { id } = this.add({ user, name, state: "creating" });
    const kept = this.kept.get(id);
    if (kept) void this.#make(kept);
    return sendJson(response, 202, kept?.sandbox ?? {});
  }

  async #make(kept: Kept): Promise<void> {
    for (const step of steps) {
      const at = new Date().toISOString();
      tell(kept, "step", { step, status: "started", at });
      await new Promise((resolve) => setTimeout(resolve, this.stepMs));
      const failed = step === this.failingStep;
      tell(kept, "step", { step, status: failed ? "failed" : "done", ms: this.stepMs, at });
      if (!failed) continue;
      // As Berth does: first what was made is taken down, then it says why.
      kept.sandbox = { ...kept.sandbox, state: "removing" };
      tell(kept, "state", { state: "removing", at });
      await new Promise((resolve) => setTimeout(resolve, this.stepMs));
      this.kept.delete(kept.sandbox.id);
      const detail = "the container died: <b>no space left</b> on /data";
      const problem = { code: "ENGINE_START_FAILED", detail };
      tell(kept, "state", { state: "failed", problem, at });
      return;
    }
    kept.sandbox = { ...kept.sandbox, state: "ready" };
    tell(kept, "state", { state: "ready", ms: this.stepMs * steps.length });
  }
}

function tell(kept: Kept, event: string, data: object): void {
  kept.events.push({ event, data });
  for (const reader of kept.readers) writeEvent(reader, { event, data });
}

function openEvents(kept: Kept, response: ServerResponse): unknown {
  response.writeHead(200, { "content-type": "text/event-stream" });
  for (const event of kept.events) writeEvent(response, event);
  kept.readers.add(response);
  return response.on("close", () => kept.readers.delete(response));
}

const writeEvent = (response: ServerResponse, { event, data }: { event: string; data: object }) =>
  response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);

async function sendPage(url: string, response: ServerResponse): Promise<void> {
  const name = url === "/" ? "index.html" : url.replace(/^\/page\//, "");
  const body = await readFile(pageDir + name).catch(() => undefined);
  const type = types[extname(name)] ?? "application/octet-stream";
  response.writeHead(body ? 200 : 404, {
    "content-type": type,
    "content-security-policy": policy,
    "x-content-type-options": "nosniff",
  });
  response.end(body);
}

async function sendBundle(response: ServerResponse): Promise<void> {
  const zip = new ZipFile();
  for (const name of ["ca.pem", "env.sh", "berth.dockercontext"]) {
    zip.addBuffer(Buffer.from(`${name}\n`), name);
  }
  zip.end();
  response.writeHead(200, { "content-type": "application/zip" });
  for await (const chunk of zip.outputStream) response.write(chunk);
  response.end();
}

function sendJson(response: ServerResponse, status: number, body: object): unknown {
  response.writeHead(status, { "content-type": "application/json" });
  return response.end(JSON.stringify(body));
}

const problemBody = (status: number, code: string, detail: string) => ({
  type: `urn:berth:error:${code}`,
  title: code.toLowerCase().replaceAll("_", " "),
  status,
  detail,
  code,
});

function sendProblem(
  response: ServerResponse,
  status: number,
  code: string,
  detail: string,
  errors?: { path: string; message: string }[],
): unknown {
  response.writeHead(status, { "content-type": "application/problem+json" });
  return response.end(JSON.stringify({ ...problemBody(status, code, detail), errors }));
}

async function bodyOf(request: IncomingMessage): Promise<Record<string, string>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString()) as Record<string, string>;
}

const profile = (name: string, description: string) => ({
  name,
  description,
  isolation: "privileged",
  ttlMs: 24 * hourMs,
  limits,
});

const meOf = (caller: { user?: string; role: string }) => ({
  ...caller,
  sandboxesPerUser: 3,
  ttl: { defaultMs: 24 * hourMs, maxMs: 48 * hourMs },
  profiles: [
    profile("python", "Python 3 with numpy and Jupyter."),
    profile("empty", "Nothing but the Docker Engine."),
  ],
  maxLimits: { memoryBytes: 4 * 2 ** 30, cpus: 4, pids: 4096, diskBytes: 40 * 2 ** 30 },
});

const usageOf = ({ limits: { memoryBytes, cpus, pids, diskBytes } }: Sandbox) => ({
  at: new Date().toISOString(),
  memory: { usedBytes: 300 * 2 ** 20, limitBytes: memoryBytes, kills: 0 },
  cpu: { usedSeconds: (Date.now() / 1000) * 0.42, limitCpus: cpus, throttledPercent: 0 },
  pids: { used: 87, limit: pids, limitHits: 0 },
  disk: {
    usedBytes: 9.4 * 2 ** 30,
    limitBytes: diskBytes,
    freeBytes: 0.3 * 2 ** 30,
    freeInodes: 9000,
  },
});
