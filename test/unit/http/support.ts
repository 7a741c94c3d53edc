import { rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { pino } from "pino";
import { signInSettingsOf } from "../../../src/assemble.js";
import { parseConfig, type Config } from "../../../src/config.js";
import { buildApp } from "../../../src/http/app.js";
import { markAsRoot } from "../../../src/http/caller.js";
import { HostMeter } from "../../../src/kernel/host-meter.js";
import type { ImageBuild } from "../../../src/lib/contract/host.js";
import type { DindImage } from "../../../src/lib/dind-image.js";
import { Metrics } from "../../../src/http/metrics.js";
import { problemSchema, type Problem } from "../../../src/lib/contract/problem.js";
import type { Role } from "../../../src/lib/contract/user.js";
import { SignIn } from "../../../src/http/sign-in/sign-in.js";
import { Users } from "../../../src/users/users.js";
import { TestBerth } from "../../fakes/berth.js";

const sourcePage = fileURLToPath(new URL("../../../src/http/page", import.meta.url));

/** The real application over a real provisioner on a fake host, on two doors as the daemon has them. */
export class TestApi {
  images: DindImage[] = [];
  building: ImageBuild[] = [];
  unbuilt: () => Promise<string[]> = () => Promise.resolve([]);
  /** Lines of the log, as JSON. */
  readonly logged: string[] = [];
  users!: Users;
  #remote!: Server;
  #local!: Server;

  private constructor(
    readonly berth: TestBerth,
    private readonly config: Config,
    private readonly pageDir: string,
  ) {}

  static async start(config: unknown = {}, { pageDir = sourcePage } = {}): Promise<TestApi> {
    const berth = await TestBerth.start(config);
    const api = new TestApi(berth, parseConfig(config, "test config"), pageDir);
    await api.#open();
    return api;
  }

  async #open(): Promise<void> {
    const log = pino({ level: "info" }, { write: (line: string) => void this.logged.push(line) });
    const { dataDir } = this;
    const now = () => this.berth.now;
    const users = new Users({ dir: `${dataDir}/users`, log, now, ways: this.config.signIn });
    this.users = users;
    this.berth.groupsOf = (name) => users.groupsOf(name);
    await users.load();
    const { provisioner } = this.berth;
    const app = buildApp({
      provisioner,
      users,
      signIn: await SignIn.open({
        settings: await signInSettingsOf(this.config),
        users,
        dataDir,
        log,
        now,
      }),
      host: new HostMeter({ dataDir, now }),
      images: {
        list: () => Promise.resolve(this.images),
        building: () => Promise.resolve(this.building),
        unbuilt: () => this.unbuilt(),
      },
      metrics: new Metrics(provisioner, { available: 3, size: 12 }),
      version: "1.2.3",
      pageDir: this.pageDir,
      log,
    });
    this.#remote = await listening(createServer(app));
    this.#local = await listening(createServer(app).on("connection", markAsRoot));
  }

  /** A new daemon on what the last one left. */
  async restart(): Promise<void> {
    await this.#close();
    await this.berth.restart();
    await this.#open();
  }

  async #close(): Promise<void> {
    for (const server of [this.#remote, this.#local]) {
      server.closeAllConnections();
      server.close();
    }
    await this.users.close();
  }

  get dataDir(): string {
    return `${this.berth.dir}-data`;
  }

  get port(): number {
    return (this.#remote.address() as AddressInfo).port;
  }

  /** A request by token, or by nobody. */
  fetch(path: string, init: RequestInit & { token?: string; json?: unknown } = {}) {
    return send(this.#remote, path, init);
  }

  /** A request over the door that only root can open. */
  asRoot(path: string, init: RequestInit & { json?: unknown } = {}) {
    return send(this.#local, path, init);
  }

  async token(name: string, role: Role = "user"): Promise<string> {
    return (await this.users.add(name, role)).token;
  }

  async stop(): Promise<void> {
    await this.#close();
    await rm(this.dataDir, { recursive: true });
    await this.berth.stop();
  }
}

/** The problem of an error answer, which must be one in every respect. */
export async function problemIn(answer: Response): Promise<Problem> {
  const problem = problemSchema.parse(await answer.json());
  if (answer.headers.get("content-type") !== "application/problem+json; charset=utf-8")
    throw new Error(`an error came as ${String(answer.headers.get("content-type"))}`);
  if (problem.status !== answer.status) throw new Error(`${answer.status} is not in the problem`);
  return problem;
}

function send(
  server: Server,
  path: string,
  { token, json, ...init }: RequestInit & { token?: string; json?: unknown },
) {
  const headers = new Headers(init.headers);
  if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
  if (json !== undefined) headers.set("content-type", "application/json");
  const body = json === undefined ? init.body : JSON.stringify(json);
  const { port } = server.address() as AddressInfo;
  return fetch(`http://127.0.0.1:${port}${path}`, {
    method: body === undefined ? "GET" : "POST",
    ...init,
    headers,
    ...(body === undefined ? {} : { body }),
  });
}

function listening(server: Server): Promise<Server> {
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      resolve(server);
    });
  });
}
