// Berth's API as the page uses it: JSON in and out. Who asks is told by the session's cookie, or, to
// a Berth that has no sessions, by a token in a header; never in an address.

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

export interface Asked {
  method?: "GET" | "POST" | "PATCH" | "DELETE";
  body?: object;
  accept?: string;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
  timeoutMs?: number;
}

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
    return this.json("/v1/me");
  }

  async list(query: { user?: string | undefined; usage?: boolean }, signal?: AbortSignal) {
    const search = new URLSearchParams();
    if (query.user !== undefined) search.set("user", query.user);
    if (query.usage) search.set("usage", "true");
    const asked = search.size > 0 ? `?${search.toString()}` : "";
    const list = await this.json<{ sandboxes: ListedSandbox[] }>(`/v1/sandboxes${asked}`, {
      signal,
    });
    return list.sandboxes;
  }

  get(id: string, signal?: AbortSignal): Promise<Sandbox> {
    return this.json(path(id), { signal });
  }

  /** Answers as soon as the creation has begun; its steps come by `events`. */
  create(body: CreateRequest): Promise<Sandbox> {
    const headers = { prefer: "respond-async" };
    return this.json("/v1/sandboxes", { method: "POST", headers, body });
  }

  extend(id: string, ttl: string): Promise<Sandbox> {
    return this.json(path(id, "extend"), { method: "POST", body: { ttl } });
  }

  resize(id: string, body: ResizeRequest): Promise<Sandbox> {
    return this.json(path(id, "resize"), { method: "POST", body });
  }

  async remove(id: string): Promise<void> {
    await this.ask(path(id), { method: "DELETE", timeoutMs: slowAnswerTimeoutMs });
  }

  verify(id: string): Promise<Verification> {
    return this.json(path(id, "verify"), { method: "POST", timeoutMs: slowAnswerTimeoutMs });
  }

  usage(id: string, signal?: AbortSignal): Promise<Usage> {
    return this.json(path(id, "usage"), { signal });
  }

  history(id: string, signal?: AbortSignal): Promise<UsageHistory> {
    return this.json(path(id, "usage/history"), { signal });
  }

  async containers(id: string, signal?: AbortSignal): Promise<Container[]> {
    const found = await this.json<{ containers: Container[] }>(path(id, "containers"), { signal });
    return found.containers;
  }

  async certificates(id: string, signal?: AbortSignal): Promise<Certificate[]> {
    const found = await this.json<{ certificates: Certificate[] }>(path(id, "certificates"), {
      signal,
    });
    return found.certificates;
  }

  async bundle(id: string): Promise<Blob> {
    return (await this.ask(path(id, "bundle"), { accept: "application/zip" })).blob();
  }

  events(id: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    return this.stream(path(id, "events"), signal);
  }

  async stream(url: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const { body } = await this.ask(url, { accept: "text/event-stream", signal, timeoutMs: 0 });
    if (!body) throw new TypeError("The events came without a body.");
    return body;
  }

  async json<T>(url: string, asked: Asked = {}): Promise<T> {
    const answer = await this.ask(url, { accept: "application/json", ...asked });
    return (await answer.json()) as T;
  }

  /** @throws ApiError for an answer that says no; what fetch throws when there is none */
  async ask(url: string, asked: Asked): Promise<Response> {
    const { method = "GET", body, signal, timeoutMs = answerTimeoutMs } = asked;
    const signals = [signal, timeoutMs > 0 ? AbortSignal.timeout(timeoutMs) : undefined];
    const response = await fetch(url, {
      method,
      headers: this.#headers(asked),
      signal: AbortSignal.any(signals.filter((one) => one !== undefined)),
      cache: "no-store",
      credentials: "same-origin",
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    this.#readClock(response);
    if (response.ok) return response;
    const error = new ApiError(response.status, await readProblem(response));
    if (response.status === 401) this.onUnauthenticated();
    throw error;
  }

  #headers({ method = "GET", body, accept, headers = {} }: Asked): Record<string, string> {
    return {
      ...headers,
      ...(accept === undefined ? {} : { accept }),
      ...(body ? { "content-type": "application/json" } : {}),
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

const path = (id: string, rest?: string) =>
  `/v1/sandboxes/${encodeURIComponent(id)}${rest ? `/${rest}` : ""}`;
