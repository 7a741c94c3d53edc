// Berth's API as the page uses it: JSON in and out, the token in a header and never in an address.

import type { CreateRequest, Me, Problem, Sandbox, Usage } from "./types.js";

/** The API said no. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly problem: Problem,
  ) {
    super(problem.detail);
  }
}

/** Whether asking again later may help: no answer at all, a busy server, a failing gateway. */
export function isPassing(error: unknown): boolean {
  return !(error instanceof ApiError) || error.status === 429 || error.status >= 500;
}

/** Whatever was thrown, as something to show. */
export function problemOf(error: unknown): Problem {
  if (error instanceof ApiError) return error.problem;
  return {
    title: "No answer from Berth",
    detail: "Berth could not be reached. Check your connection, then try again.",
    code: "",
  };
}

const answerTimeoutMs = 30_000;
// A remove waits until the containers inside have stopped.
const removeTimeoutMs = 120_000;

export class Api {
  /** Milliseconds that the server's clock is ahead of this computer's; 0 unless clearly off. */
  clockOffsetMs = 0;

  constructor(
    private readonly token: string,
    private readonly onUnauthenticated: () => void,
  ) {}

  /** The time by the server's clock, which is the one that ends sandboxes. */
  now(): number {
    return Date.now() + this.clockOffsetMs;
  }

  async me(): Promise<Me> {
    return (await this.#json("/v1/me")) as Me;
  }

  async list(): Promise<Sandbox[]> {
    return ((await this.#json("/v1/sandboxes")) as { sandboxes: Sandbox[] }).sandboxes;
  }

  async get(id: string): Promise<Sandbox> {
    return (await this.#json(path(id))) as Sandbox;
  }

  /** Answers as soon as the creation has begun; its steps come by `events`. */
  async create(request: CreateRequest): Promise<Sandbox> {
    const headers = { prefer: "respond-async" };
    return (await this.#json("/v1/sandboxes", { method: "POST", headers }, request)) as Sandbox;
  }

  async extend(id: string, ttl: string): Promise<Sandbox> {
    return (await this.#json(path(id, "extend"), { method: "POST" }, { ttl })) as Sandbox;
  }

  async remove(id: string): Promise<void> {
    const signal = AbortSignal.timeout(removeTimeoutMs);
    await this.#request(path(id), { method: "DELETE", signal });
  }

  async usage(id: string): Promise<Usage> {
    return (await this.#json(path(id, "usage"))) as Usage;
  }

  async bundle(id: string): Promise<Blob> {
    const headers = { accept: "application/zip" };
    return (await this.#request(path(id, "bundle"), { headers })).blob();
  }

  async events(id: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const headers = { accept: "text/event-stream" };
    const { body } = await this.#request(path(id, "events"), { headers, signal });
    if (!body) throw new TypeError("The events came without a body.");
    return body;
  }

  async #json(url: string, init: RequestInit = {}, body?: object): Promise<unknown> {
    const headers = new Headers(init.headers);
    headers.set("accept", "application/json");
    if (body) headers.set("content-type", "application/json");
    const whole = { ...init, headers, ...(body ? { body: JSON.stringify(body) } : {}) };
    return (await this.#request(url, whole)).json();
  }

  async #request(url: string, init: RequestInit): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set("authorization", `Bearer ${this.token}`);
    const signal = init.signal ?? AbortSignal.timeout(answerTimeoutMs);
    const response = await fetch(url, { ...init, headers, signal, cache: "no-store" });
    this.#readClock(response);
    if (response.ok) return response;
    const error = new ApiError(response.status, await readProblem(response));
    if (response.status === 401) this.onUnauthenticated();
    throw error;
  }

  #readClock(response: Response): void {
    const serverNow = Date.parse(response.headers.get("date") ?? "");
    const offset = serverNow - Date.now();
    // The header has whole seconds, and the answer took its time: below five it says nothing.
    if (!Number.isNaN(offset)) this.clockOffsetMs = Math.abs(offset) > 5000 ? offset : 0;
  }
}

const path = (id: string, rest?: string) =>
  `/v1/sandboxes/${encodeURIComponent(id)}${rest ? `/${rest}` : ""}`;

/** The problem in an answer; something in between (a proxy) may have sent anything. */
async function readProblem(response: Response): Promise<Problem> {
  const body = (await response.json().catch(() => undefined)) as
    Partial<Problem> | undefined | null;
  return {
    title: body?.title ?? "Something went wrong",
    detail: body?.detail ?? `The server answered with HTTP status ${response.status}.`,
    code: body?.code ?? "",
    ...(Array.isArray(body?.errors) ? { errors: body.errors } : {}),
  };
}
