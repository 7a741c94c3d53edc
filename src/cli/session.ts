import { existsSync } from "node:fs";
import path from "node:path";
import { ApiClient } from "./client.js";
import { belongsInHost, chooseConnection, findEmbeddedHost, look } from "./connection.js";
import type { CliDeps } from "./deps.js";
import { exitCodes } from "./failure.js";
import { Output } from "./output.js";
import { resolveSandbox, type SandboxReference } from "./resolve.js";
import type { Sandbox } from "../lib/contract/sandbox.js";

export interface GlobalOptions {
  json?: boolean;
  url?: string;
}

/** One call of `berth`: what its commands share. */
export class Session implements AsyncDisposable {
  exitCode = 0;
  readonly out: Output;
  #client: Promise<ApiClient> | undefined;

  constructor(
    readonly deps: CliDeps,
    private readonly argv: string[],
    private readonly globals: () => GlobalOptions,
  ) {
    this.out = new Output(deps.stdout, deps.stderr, () => this.globals().json ?? asksForJson(argv));
  }

  api(): Promise<ApiClient> {
    this.#client ??= this.#connect();
    return this.#client;
  }

  async sandbox(reference: SandboxReference): Promise<Sandbox> {
    return resolveSandbox(await this.api(), reference);
  }

  /** An absolute path for one that was typed. */
  pathOf(typed: string): string {
    return path.resolve(this.deps.cwd, typed);
  }

  /** Whether a certain API was asked for: no work of this machine stands in for it. */
  get asksUrl(): boolean {
    return Boolean(this.globals().url ?? this.deps.connection.url);
  }

  fail(): void {
    this.exitCode = exitCodes.failed;
  }

  /** Does `work` here, or the whole command line inside the embedded host if it belongs there. */
  async onTheHost(work: () => Promise<void>): Promise<void> {
    const { connection, hostExec } = this.deps;
    const inHost =
      hostExec !== undefined &&
      belongsInHost({
        runDirExists: existsSync(path.dirname(connection.socket)),
        embeddedUp: (await findEmbeddedHost(connection)) !== undefined,
      });
    if (inHost) this.exitCode = await hostExec(this.argv);
    else await work();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#client?.catch(() => undefined))?.close();
  }

  async #connect(): Promise<ApiClient> {
    const { connection, uid } = this.deps;
    const { url } = this.globals();
    const settings = url === undefined ? connection : { ...connection, url };
    return new ApiClient(chooseConnection(settings, await look(settings)), uid);
  }
}

/** Before the options are read, and when they cannot be: commander stops at the first mistake. */
function asksForJson(argv: string[]): boolean {
  const end = argv.indexOf("--");
  return (end === -1 ? argv : argv.slice(0, end)).includes("--json");
}
