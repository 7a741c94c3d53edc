import { sandbox, sandboxList, stepEvent } from "../../src/lib/contract/sandbox.js";
import { addedUser } from "../../src/lib/contract/user.js";
import { apiUrl, berth, berthJson } from "../../test/e2e/support.js";

const user = "bench-admin";

/** Steps in which the host's Docker Engine, or the sandbox's, does the work. */
const engineSteps = ["network", "container", "start", "ready"];

interface Creation {
  id: string;
  dockerHost: string;
  /** From the request to its answer. */
  ms: number;
  steps: Map<string, number>;
  /** For how long at least one of the engines was at work; some of our own steps run beside. */
  engineMs: number;
}

/** How much time these spans cover together. */
function covered(spans: { from: number; to: number }[]): number {
  let sum = 0;
  let end = -Infinity;
  for (const { from, to } of spans.sort((a, b) => a.from - b.from)) {
    sum += Math.max(0, to - Math.max(from, end));
    end = Math.max(end, to);
  }
  return sum;
}

/** The API over TCP, as an admin with a token; every sandbox it makes is of a user `bench-*`. */
export class Api {
  private constructor(
    private readonly url: string,
    private readonly token: string,
  ) {}

  static async connect(): Promise<Api> {
    await berth("user", "remove", user);
    const { token } = addedUser.parse(await berthJson("user", "add", user, "--admin"));
    return new Api(await apiUrl(), token);
  }

  /** Waits for the answer that says ready; the steps' times are read from the events afterwards. */
  async create(owner: string): Promise<Creation> {
    await this.#addUser(owner);
    const begun = performance.now();
    const answer = await this.#ask("POST", "/v1/sandboxes", { user: owner, ttl: "1h" });
    const ms = performance.now() - begun;
    const { id, dockerHost } = sandbox.parse(await answer.json());
    return { id, dockerHost, ms, ...(await this.#steps(id)) };
  }

  async remove(id: string): Promise<number> {
    const begun = performance.now();
    await this.#ask("DELETE", `/v1/sandboxes/${id}`);
    return performance.now() - begun;
  }

  async timeList(times: number): Promise<number[]> {
    const all: number[] = [];
    for (let i = 0; i < times; i++) {
      const begun = performance.now();
      await (await this.#ask("GET", "/v1/sandboxes")).json();
      all.push(performance.now() - begun);
    }
    return all;
  }

  /** Resolves once no key is being generated any more: the pool's gauge has stopped below its size. */
  async keyPoolFull(): Promise<void> {
    for (;;) {
      const text = await (await fetch(`${this.url}/metrics`)).text();
      const available = Number(/^berth_key_pool_available (\d+)/m.exec(text)?.[1]);
      const size = Number(/^berth_key_pool_size (\d+)/m.exec(text)?.[1]);
      if (available >= size) return;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  async removeAll(): Promise<void> {
    const { sandboxes } = sandboxList.parse(await (await this.#ask("GET", "/v1/sandboxes")).json());
    const ours = sandboxes.filter((one) => one.user.startsWith("bench-"));
    for (let i = 0; i < ours.length; i += 5) {
      await Promise.all(ours.slice(i, i + 5).map(({ id }) => this.remove(id)));
    }
    for (const owner of this.#users) await this.#ask("DELETE", `/v1/users/${owner}`);
    this.#users.clear();
  }
  readonly #users = new Set<string>();

  /** Takes the admin's token back. */
  async disconnect(): Promise<void> {
    await berth("user", "remove", user);
  }

  async #addUser(owner: string): Promise<void> {
    if (this.#users.has(owner)) return;
    this.#users.add(owner);
    await this.#ask("POST", "/v1/users", { name: owner });
  }

  async #steps(id: string): Promise<Pick<Creation, "steps" | "engineMs">> {
    const stop = new AbortController();
    const answer = await this.#ask("GET", `/v1/sandboxes/${id}/events`, undefined, stop.signal);
    let text = "";
    for await (const chunk of answer.body ?? []) {
      text += Buffer.from(chunk as Uint8Array).toString();
      if (text.includes('"state":"ready"')) break;
    }
    stop.abort();
    const events = [...text.matchAll(/event: step\ndata: (.*)\n/g)].map(([, json]) =>
      stepEvent.parse(JSON.parse(json ?? "")),
    );
    const ended = events.filter(({ ms }) => ms !== undefined);
    const spans = ended
      .filter(({ step }) => engineSteps.includes(step))
      .map(({ at, ms = 0 }) => ({ from: Date.parse(at) - ms, to: Date.parse(at) }));
    return {
      steps: new Map(ended.map(({ step, ms = 0 }) => [step, ms])),
      engineMs: covered(spans),
    };
  }

  async #ask(method: string, path: string, body?: object, signal?: AbortSignal): Promise<Response> {
    const answer = await fetch(this.url + path, {
      method,
      headers: { authorization: `Bearer ${this.token}`, "content-type": "application/json" },
      ...(body ? { body: JSON.stringify(body) } : {}),
      ...(signal ? { signal } : {}),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer;
  }
}
