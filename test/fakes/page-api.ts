import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import express, { type Express, type Request, type RequestHandler, type Response } from "express";
import type { Sandbox } from "../../src/lib/contract/sandbox.js";
import { servePage } from "../../src/http/serve-page.js";
import { addAdminRoutes } from "./page-admin.js";
import * as data from "./page-data.js";
import { fail, make, openEvents, tell, type Kept } from "./page-events.js";
import { PageSessions, type Caller } from "./page-sessions.js";

// Berth's API without an engine, for what a real one does not show on demand: a creation that fails,
// a server that goes away, a sandbox near its end. Serves the built page (dist/http/page) as Berth does.

const pageDir = fileURLToPath(new URL("../../dist/http/page/", import.meta.url));
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export class PageApi {
  /** How long each step of a creation takes. */
  stepMs = 60;
  /** The step at which the next creations fail. */
  failingStep: string | undefined;
  /** How far the server's clock is ahead of this machine's. */
  aheadMs = 0;
  readonly sessions = new PageSessions();
  readonly tokens = this.sessions.tokens;
  readonly kept = new Map<string, Kept>();
  /** Parts of addresses that this Berth does not have yet. */
  readonly lacks: string[] = [];
  /** Changing requests as they came: method, address and body. */
  readonly changes: { what: string; body: unknown }[] = [];
  #server: Server | undefined;
  #count = 0;

  /** Listens; on the same port again when it did before. */
  async start(port = 0): Promise<string> {
    this.#server = createServer(this.#build()).listen(port, "127.0.0.1");
    await once(this.#server, "listening");
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Stops answering and cuts every connection, as a server that restarts does. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  }

  now(): number {
    return Date.now() + this.aheadMs;
  }

  /** A ready sandbox, without the way to it. */
  add(sandbox: Partial<Sandbox> & { user: string }): Sandbox {
    const id = `k${String(++this.#count).padStart(7, "0")}`;
    const whole: Sandbox = {
      id,
      name: "default",
      profile: "python",
      isolation: "userns",
      state: "ready",
      createdAt: new Date(this.now()).toISOString(),
      expiresAt: new Date(this.now() + 24 * data.hourMs).toISOString(),
      dockerHost: `tcp://127.0.0.1:${22_000 + this.#count}`,
      ports: { from: 23_000 + this.#count * 10, to: 23_009 + this.#count * 10 },
      limits: data.limits,
      slice: `berth-${sandbox.user}.slice`,
      incidents: [],
      ...sandbox,
    };
    this.kept.set(id, { sandbox: whole, events: [], readers: new Set(), bundles: 1 });
    return whole;
  }

  /** Changes what is known of a sandbox, and tells who follows it. */
  change(id: string, change: Partial<Sandbox>): void {
    const kept = this.kept.get(id);
    if (!kept) throw new Error(`the fake has no sandbox ${id}`);
    kept.sandbox = { ...kept.sandbox, ...change };
    tell(kept, "state", { state: kept.sandbox.state });
  }

  #build(): Express {
    const app = express();
    app.use((_request, response, next) => {
      response.set({
        "content-security-policy": policy,
        "x-content-type-options": "nosniff",
        date: new Date(this.now()).toUTCString(),
      });
      next();
    });
    app.use(express.json(), this.#gate);
    this.sessions.addTo(app);
    app.get("/v1/me", (_request, response) => {
      response.json(data.meOf(callerOf(response)));
    });
    this.#addSandboxRoutes(app);
    addAdminRoutes(app, this);
    app.use("/v1", (request, response) => {
      data.sendProblem(response, 404, "NOT_FOUND", `there is nothing at ${request.path}`);
    });
    servePage(app, pageDir);
    app.get("/", (_request, response) => {
      response.sendFile(join(pageDir, "index.html"));
    });
    return app;
  }

  /** Who may ask: everyone for the page and the session, else those signed in; no other site changes anything. */
  readonly #gate: RequestHandler = (request, response, next) => {
    if (!request.path.startsWith("/v1/")) {
      next();
      return;
    }
    if (request.method !== "GET") {
      this.changes.push({ what: `${request.method} ${request.path}`, body: request.body });
      if (request.get("x-berth-request") !== "1") {
        data.sendProblem(response, 403, "FORBIDDEN", "x-berth-request is missing");
        return;
      }
    }
    const caller = this.sessions.callerOf(request);
    if (!caller && !request.path.startsWith("/v1/session")) {
      data.sendProblem(response, 401, "UNAUTHENTICATED", "No such token.");
      return;
    }
    if (this.lacks.some((part) => request.path.includes(part))) {
      data.sendProblem(response, 404, "NOT_FOUND", `there is nothing at ${request.path}`);
      return;
    }
    response.locals["caller"] = caller;
    next();
  };

  #addSandboxRoutes(app: Express): void {
    const path = "/v1/sandboxes";
    app.get(path, (request, response) => {
      const { user, usage } = request.query;
      const all = [...this.kept.values()].map(({ sandbox }) => sandbox);
      const found = all.filter(
        (one) => maySee(response, one.user) && (user === undefined || one.user === user),
      );
      const withUsage = (one: Sandbox) => ({ ...one, usage: data.usageOf(one) });
      response.json({ sandboxes: usage === "true" ? found.map(withUsage) : found });
    });
    app.post(path, (request, response) => {
      this.#create(request.body as Record<string, string>, response);
    });
    app.use(`${path}/:id`, (request, response, next) => {
      const kept = this.kept.get(request.params.id);
      if (kept && maySee(response, kept.sandbox.user)) {
        response.locals["kept"] = kept;
        next();
      } else {
        const detail = `No sandbox ${request.params.id}.`;
        data.sendProblem(response, 404, "SANDBOX_NOT_FOUND", detail);
      }
    });
    const get = (rest: string, answer: (kept: Kept) => object) => {
      app.get(`${path}/:id${rest}`, (_request, response) => {
        response.json(answer(keptOf(response)));
      });
    };
    get("", ({ sandbox }) => sandbox);
    get("/usage", ({ sandbox }) => data.usageOf(sandbox));
    get("/usage/history", ({ sandbox }) => data.historyOf(sandbox));
    get("/containers", ({ sandbox }) => data.containersOf(sandbox));
    get("/certificates", (kept) => this.#certificatesOf(kept));
    app.post(`${path}/:id/verify`, (_request, response) => {
      response.json(data.verification);
    });
    app.get(`${path}/:id/bundle`, async (request, response) => {
      keptOf(response).bundles++;
      await data.sendBundle(request, response);
    });
    app.get(`${path}/:id/events`, (_request, response) => {
      openEvents(keptOf(response), response);
    });
    app.delete(`${path}/:id`, (_request, response) => {
      const kept = keptOf(response);
      this.kept.delete(kept.sandbox.id);
      tell(kept, "state", { state: "removed" });
      response.status(204).end();
    });
    app.post(`${path}/:id/extend`, this.#extend);
    app.post(`${path}/:id/resize`, this.#resize);
  }

  #create(body: Record<string, string>, response: Response): void {
    const { user = callerOf(response).user ?? "nobody", name = "default", memory } = body;
    if (memory === "1Q") {
      const message = `"1Q" is no size; write it like 512M, 1.5G or 10G`;
      const errors = [{ path: "memory", message }];
      data.sendProblem(response, 400, "INVALID_REQUEST", "memory: see there", errors);
      return;
    }
    const all = [...this.kept.values()];
    if (all.some(({ sandbox }) => sandbox.user === user && sandbox.name === name)) {
      const detail = `${user} has a sandbox ${name} already.`;
      data.sendProblem(response, 409, "SANDBOX_EXISTS", detail);
      return;
    }
    const { id } = this.add({ user, name, state: "creating" });
    const kept = this.kept.get(id);
    if (kept) void this.#make(kept);
    response.status(202).json(kept?.sandbox);
  }

  async #make(kept: Kept): Promise<void> {
    if (await make(kept, this.stepMs, this.failingStep)) return;
    // Its record is gone, its story can still be read.
    fail(kept);
    this.kept.delete(kept.sandbox.id);
  }

  readonly #extend = (request: Request, response: Response): void => {
    const kept = keptOf(response);
    const { ttl = "" } = request.body as { ttl?: string };
    const hours = ttl.endsWith("m") ? Number.parseInt(ttl) / 60 : Number.parseInt(ttl);
    const expiresAt = Date.parse(kept.sandbox.expiresAt) + hours * data.hourMs;
    if (expiresAt > this.now() + 48 * data.hourMs) {
      data.sendProblem(response, 422, "TTL_TOO_LONG", "A sandbox lasts 48h at most.");
      return;
    }
    this.change(kept.sandbox.id, { expiresAt: new Date(expiresAt).toISOString() });
    response.json(kept.sandbox);
  };

  readonly #resize = (request: Request, response: Response): void => {
    const kept = keptOf(response);
    const { memory, cpus } = request.body as { memory?: string; cpus?: string };
    if (memory !== undefined && !/^\d+G$/.test(memory)) {
      const errors = [{ path: "memory", message: `"${memory}" is no size` }];
      data.sendProblem(response, 400, "INVALID_REQUEST", "memory: see there", errors);
      return;
    }
    const { limits } = kept.sandbox;
    const memoryBytes = memory ? Number.parseInt(memory) * 2 ** 30 : limits.memoryBytes;
    this.change(kept.sandbox.id, {
      limits: { ...limits, memoryBytes, cpus: cpus ? Number(cpus) : limits.cpus },
    });
    response.json(kept.sandbox);
  };

  #certificatesOf({ bundles }: Kept) {
    const certificates = Array.from({ length: bundles }, (_, i) => ({
      issuedAt: new Date(this.now()).toISOString(),
      expiresAt: new Date(this.now() + (5 + i) * data.hourMs).toISOString(),
    }));
    return { certificates };
  }
}

export const callerOf = (response: Response) => response.locals["caller"] as Caller;
const keptOf = (response: Response) => response.locals["kept"] as Kept;
const maySee = (response: Response, user: string) =>
  callerOf(response).role === "admin" || callerOf(response).user === user;
