// Berth's API as the page uses it: the requests that the API's own description has, JSON in and out. Who
// asks is told by the session's cookie, or, to a Berth that has no sessions, by a token in a header;
// never in an address.

import { apiRequest, type ApiRequest } from "../../../lib/api/request.js";
import { ApiError, readProblem } from "./problem.js";
import type {
  Certificate,
  Container,
  CreateRequest,
  ListedSandbox,
  Me,
  ResizeRequest,
  Sandbox,
  Usage,
  UsageHistory,
  Verification,
} from "./types.js";

const answerTimeoutMs = 30_000;
// A remove waits until the containers inside have stopped; a look inside starts one.
const slowAnswerTimeoutMs = 120_000;

/** How a request is sent, beside what it is. */
export interface Manner {
  accept?: string;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
  timeoutMs?: number;
}

const slow: Manner = { timeoutMs: slowAnswerTimeoutMs };
const one = "/v1/sandboxes/{id}";

export class Api {
  /** Milliseconds that the server's clock is ahead of this computer's; 0 unless clearly off. */
  clockOffsetMs = 0;

  constructor(
    private readonly token?: string,
    private readonly onUnauthenticated: () => void = () => undefined,
  ) {}

  /** The time by the server's clock, which is the one that ends sandboxes. */
  now(): number {
    return Date.now() + this.clockOffsetMs;
  }

  me(): Promise<Me> {
    return this.json(apiRequest("get", "/v1/me"));
  }

  async list(
    { user, usage }: { user?: string | undefined; usage?: boolean },
    signal?: AbortSignal,
  ): Promise<ListedSandbox[]> {
    const query = {
      ...(user === undefined ? {} : { user }),
      ...(usage ? { usage: "true" as const } : {}),
    };
    const asked = apiRequest("get", "/v1/sandboxes", { query });
    return (await this.json(asked, { signal })).sandboxes;
  }

  get(id: string, signal?: AbortSignal): Promise<Sandbox> {
    return this.json(apiRequest("get", one, { path: { id } }), { signal });
  }

  /** Answers as soon as the creation has begun; its steps come by `events`. */
  create(body: CreateRequest): Promise<Sandbox> {
    const headers = { prefer: "respond-async" };
    return this.json(apiRequest("post", "/v1/sandboxes", { body }), { headers });
  }

  extend(id: string, ttl: string): Promise<Sandbox> {
    return this.json(apiRequest("post", `${one}/extend`, { path: { id }, body: { ttl } }));
  }

  resize(id: string, body: ResizeRequest): Promise<Sandbox> {
    return this.json(apiRequest("post", `${one}/resize`, { path: { id }, body }));
  }

  async remove(id: string): Promise<void> {
    await this.ask(apiRequest("delete", one, { path: { id } }), slow);
  }

  verify(id: string): Promise<Verification> {
    return this.json(apiRequest("post", `${one}/verify`, { path: { id } }), slow);
  }

  usage(id: string, signal?: AbortSignal): Promise<Usage> {
    return this.json(apiRequest("get", `${one}/usage`, { path: { id } }), { signal });
  }

  history(id: string, signal?: AbortSignal): Promise<UsageHistory> {
    return this.json(apiRequest("get", `${one}/usage/history`, { path: { id } }), { signal });
  }

  async containers(id: string, signal?: AbortSignal): Promise<Container[]> {
    const asked = apiRequest("get", `${one}/containers`, { path: { id } });
    return (await this.json(asked, { signal })).containers;
  }

  async certificates(id: string, signal?: AbortSignal): Promise<Certificate[]> {
    const asked = apiRequest("get", `${one}/certificates`, { path: { id } });
    return (await this.json(asked, { signal })).certificates;
  }

  async bundle(id: string): Promise<Blob> {
    const asked = apiRequest("get", `${one}/bundle`, { path: { id } });
    return (await this.ask(asked, { accept: "application/zip" })).blob();
  }

  events(id: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    return this.stream(apiRequest("get", `${one}/events`, { path: { id } }), signal);
  }

  async stream(
    asked: ApiRequest<unknown>,
    signal: AbortSignal,
  ): Promise<ReadableStream<Uint8Array>> {
    const { body } = await this.ask(asked, { accept: "text/event-stream", signal, timeoutMs: 0 });
    if (!body) throw new TypeError("The events came without a body.");
    return body;
  }

  async json<Answer>(asked: ApiRequest<Answer>, manner: Manner = {}): Promise<Answer> {
    const answer = await this.ask(asked, { accept: "application/json", ...manner });
    return (await answer.json()) as Answer;
  }

  /** @throws ApiError for an answer that says no; what fetch throws when there is none */
  async ask(asked: ApiRequest<unknown>, manner: Manner = {}): Promise<Response> {
    const { method, path, body } = asked;
    const { signal, timeoutMs = answerTimeoutMs } = manner;
    const signals = [signal, timeoutMs > 0 ? AbortSignal.timeout(timeoutMs) : undefined];
    const response = await fetch(path, {
      method,
      headers: this.#headers(asked, manner),
      signal: AbortSignal.any(signals.filter((one) => one !== undefined)),
      cache: "no-store",
      credentials: "same-origin",
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    this.#readClock(response);
    if (response.ok) return response;
    const error = new ApiError(response.status, await readProblem(response));
    if (response.status === 401) this.onUnauthenticated();
    throw error;
  }

  #headers(
    { method, body }: ApiRequest<unknown>,
    { accept, headers = {} }: Manner,
  ): Record<string, string> {
    return {
      ...headers,
      ...(accept === undefined ? {} : { accept }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      // No other site can send it: a browser asks first, and Berth does not allow it.
      ...(method === "GET" ? {} : { "x-berth-request": "1" }),
      ...(this.token === undefined ? {} : { authorization: `Bearer ${this.token}` }),
    };
  }

  #readClock(response: Response): void {
    const serverNow = Date.parse(response.headers.get("date") ?? "");
    const offset = serverNow - Date.now();
    // The header has whole seconds, and the answer took its time: below five it says nothing.
    if (!Number.isNaN(offset)) this.clockOffsetMs = Math.abs(offset) > 5000 ? offset : 0;
  }
}
