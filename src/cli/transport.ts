import { readFile } from "node:fs/promises";
import type { Dispatcher } from "undici";
import { z } from "zod";
import type { ApiRequest } from "../lib/api/request.js";
import { problemSchema, type Problem } from "../lib/contract/problem.js";
import { BerthError, messageOf } from "../lib/errors.js";
import type { Connection } from "./connection.js";
import { jsonOf } from "./json.js";
import { unreachable } from "./unreachable.js";

/** How a request is sent, beside what it is. */
export interface Manner {
  accept?: string;
  /** The server's Prefer header (RFC 7240). */
  prefer?: string;
  signal?: AbortSignal;
  /** The answer is a stream that may be silent for as long as it likes. */
  endless?: boolean;
}

type Body = Dispatcher.ResponseData["body"];

/** HTTP to one API: what goes wrong comes out as a BerthError with the server's own code. */
export class Transport {
  #dispatcher: Promise<Dispatcher> | undefined;

  constructor(
    readonly connection: Connection,
    private readonly uid?: number,
  ) {}

  /** The answer's body when the status is 2xx. */
  async send(asked: ApiRequest<unknown>, manner: Manner = {}): Promise<Body> {
    const call = { ...asked, ...manner };
    this.#dispatcher ??= connect(this.connection);
    const dispatcher = await this.#dispatcher;
    const answer = await dispatcher.request(this.#request(call)).catch((error: unknown) => {
      throw call.signal?.aborted ? error : unreachable(this.connection, error, this.uid);
    });
    if (answer.statusCode < 300) return answer.body;
    throw this.#refusal(answer.statusCode, await this.#whole(answer.body, call));
  }

  /**
   * The answer, checked: an older or newer daemon is told apart from a bug.
   * @param schema of the contract; the compiler holds it against what the API's description says
   */
  async json<Answer>(
    schema: z.ZodType<Answer>,
    call: ApiRequest<Answer>,
    manner: Manner = {},
  ): Promise<Answer> {
    const text = (await this.bytes(call, manner)).toString("utf8");
    const parsed = schema.safeParse(jsonOf(text));
    if (parsed.success) return parsed.data;
    throw new BerthError(
      "INTERNAL",
      `the answer to ${call.method} ${call.path} is not what this berth reads: ` +
        `${z.prettifyError(parsed.error)}; are the CLI and the daemon of the same version?`,
    );
  }

  async bytes(call: ApiRequest<unknown>, manner: Manner = {}): Promise<Buffer> {
    return this.#whole(await this.send(call, manner), manner);
  }

  async close(): Promise<void> {
    await (await this.#dispatcher?.catch(() => undefined))?.destroy();
  }

  #request(call: ApiRequest<unknown> & Manner): Dispatcher.RequestOptions {
    const { connection } = this;
    const base = new URL(connection.kind === "url" ? connection.url : "http://localhost");
    const token = connection.kind === "url" ? connection.token : undefined;
    return {
      origin: base.origin,
      path: `${base.pathname.replace(/\/$/, "")}${call.path}`,
      method: call.method,
      headers: {
        accept: `${call.accept ?? "application/json"}, application/problem+json`,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(call.body === undefined ? {} : { "content-type": "application/json" }),
        ...(call.prefer === undefined ? {} : { prefer: call.prefer }),
      },
      body: call.body === undefined ? null : JSON.stringify(call.body),
      ...(call.signal === undefined ? {} : { signal: call.signal }),
      ...(call.endless ? { bodyTimeout: 0 } : {}),
    };
  }

  async #whole(body: Body, call: Manner): Promise<Buffer> {
    try {
      return Buffer.from(await body.arrayBuffer());
    } catch (error) {
      throw call.signal?.aborted ? error : unreachable(this.connection, error, this.uid);
    }
  }

  #refusal(status: number, body: Buffer): BerthError {
    const problem = problemSchema.safeParse(jsonOf(body.toString("utf8")));
    if (!problem.success) {
      const where = this.connection.kind === "url" ? this.connection.url : this.connection.socket;
      return new BerthError(
        "DAEMON_UNREACHABLE",
        `${where} answered ${status}, and not as a Berth does; is it Berth's address?`,
      );
    }
    const error = problemError(problem.data);
    const tokenless = this.connection.kind === "url" && !this.connection.token;
    if (error.code !== "UNAUTHENTICATED" || !tokenless) return error;
    return new BerthError(
      error.code,
      `${error.message}; put the token that \`berth user add\` printed into BERTH_TOKEN`,
    );
  }
}

/** A problem that came over the wire, as the error it was. */
export function problemError(problem: Pick<Problem, "code" | "detail" | "errors">): BerthError {
  return new BerthError(problem.code, problem.detail, { issues: problem.errors ?? [] });
}

async function connect(connection: Connection): Promise<Dispatcher> {
  // Loaded when something is to be asked: half of the CLI's start-up time is in this package.
  const { Agent } = await import("undici");
  if (connection.kind !== "url") return new Agent({ connect: { socketPath: connection.socket } });
  const { caFile } = connection;
  if (caFile === undefined) return new Agent();
  const ca = await readFile(caFile, "utf8").catch((error: unknown) => {
    throw new BerthError("CONFIG_INVALID", `BERTH_CA: cannot read ${caFile}: ${messageOf(error)}`);
  });
  const { rootCertificates } = await import("node:tls");
  return new Agent({ connect: { ca: [...rootCertificates, ca] } });
}
