import type { InnerContainer, UsageHistory } from "../lib/contract/looks.js";
import type { Usage } from "../lib/contract/sandbox.js";
import { peerOf } from "./bring-up.js";
import type { Context } from "./context.js";
import type { SandboxRecord } from "./records.js";
import { certificatesLost, notReady } from "./refusals.js";
import { usageSeen } from "./usage-history.js";
import type { Watch } from "./watch.js";

/** What is to be seen of sandboxes without asking the host's engine. */
export class Looks {
  readonly #context: Context;
  readonly #watch: Watch;
  /** Looks under way: a page that many have open asks a sandbox once at a time. */
  readonly #listing = new Map<string, Promise<InnerContainer[]>>();

  constructor(context: Context, watch: Watch) {
    this.#context = context;
    this.#watch = watch;
  }

  history(id: string): UsageHistory {
    return this.#watch.samples.of(id);
  }

  /** What the last sample said; undefined before the first, and of one that does not run. */
  usage({ id, state, limits }: SandboxRecord): Usage | undefined {
    if (state !== "ready") return undefined;
    return usageSeen(this.#watch.samples.last(id), limits, this.#watch.latest(id));
  }

  /**
   * The containers that run inside.
   * @throws BerthError SANDBOX_NOT_READY, ENGINE_UNREACHABLE, ENGINE_FAILED, RECORD_INVALID
   */
  async containers(record: SandboxRecord): Promise<InnerContainer[]> {
    if (record.state !== "ready") throw notReady(record);
    const { id } = record;
    const listing =
      this.#listing.get(id) ?? this.#list(record).finally(() => this.#listing.delete(id));
    this.#listing.set(id, listing);
    return listing;
  }

  async #list(record: SandboxRecord): Promise<InnerContainer[]> {
    const caPem = await this.#context.records.caPem(record.id);
    if (caPem === undefined) throw certificatesLost(record.id);
    return this.#context.parts.probe.containers(await peerOf(this.#context, record, caPem));
  }
}
