import type { Readable } from "node:stream";
import { Mutex } from "async-mutex";
import type { ReapResult, Usage } from "../lib/contract/sandbox.js";
import { BerthError, internalDetail } from "../lib/errors.js";
import { KeyedMutex } from "../lib/keyed-mutex.js";
import type { Log } from "../lib/log.js";
import type { BundleFormat } from "../lib/model.js";
import { bundleOf } from "./bundle.js";
import type { Context } from "./context.js";
import { cancelled, create } from "./create.js";
import { SandboxEvents } from "./events.js";
import type { Parts } from "./parts.js";
import { reconcile } from "./reconcile.js";
import { checkTtl } from "./request.js";
import type { Records, SandboxRecord } from "./records.js";
import { reserve, type OwnedRequest } from "./reserve.js";
import { revive } from "./revive.js";
import type { Settings } from "./settings.js";
import { settleSlice } from "./slices.js";
import { takeDown } from "./take-down.js";

/** Makes, keeps and removes sandboxes; the one place that decides about them. */
export class Provisioner {
  readonly events: SandboxEvents;
  readonly #context: Context;
  readonly #reservations = new Mutex();
  readonly #reconciling = new Mutex();
  /** Creations under way, so that a removal or the daemon's end can break them off. */
  readonly #creations = new Map<string, { abort: AbortController; done: Promise<unknown> }>();
  readonly #closing = new AbortController();

  constructor(options: {
    parts: Parts;
    records: Records;
    settings: Settings;
    log: Log;
    now?: () => Date;
  }) {
    const now = options.now ?? (() => new Date());
    this.events = new SandboxEvents(now);
    this.#context = {
      ...options,
      now,
      events: this.events,
      userLocks: new KeyedMutex(),
      sandboxLocks: new KeyedMutex(),
    };
  }

  get settings(): Settings {
    return this.#context.settings;
  }

  /** The slice in which a user's sandboxes are held. */
  sliceOf(user: string): string {
    return this.#context.parts.slices.nameOf(user);
  }

  list(): SandboxRecord[] {
    return this.#context.records.all();
  }

  /** @throws BerthError SANDBOX_NOT_FOUND */
  get(id: string): SandboxRecord {
    const record = this.#context.records.get(id);
    if (!record) throw sandboxNotFound(id);
    return record;
  }

  /**
   * Takes name, ports and network for a sandbox and begins to make it.
   * @returns the record in state `creating`, and a promise of it ready
   */
  async begin(
    request: OwnedRequest,
  ): Promise<{ record: SandboxRecord; ready: Promise<SandboxRecord> }> {
    this.#mustBeOpen();
    const record = await this.#reservations.runExclusive(() => reserve(this.#context, request));
    const abort = new AbortController();
    const signal = AbortSignal.any([abort.signal, this.#closing.signal]);
    const ready = this.#context.sandboxLocks.run(record.id, () =>
      create(this.#context, record, signal),
    );
    const done = ready.then(
      () => this.#creations.delete(record.id),
      (error: unknown) => {
        this.#creations.delete(record.id);
        this.#tellFailure(record, error);
      },
    );
    this.#creations.set(record.id, { abort, done });
    return { record, ready };
  }

  /** Breaks off a creation under way; what it had made is removed. */
  async cancel(id: string, why: string): Promise<void> {
    const creation = this.#creations.get(id);
    creation?.abort.abort(cancelled(id, why));
    await creation?.done;
  }

  /** Adds time to a sandbox. @throws BerthError SANDBOX_NOT_FOUND, SANDBOX_NOT_READY, TTL_TOO_LONG */
  async extend(id: string, addMs: number): Promise<SandboxRecord> {
    const record = this.get(id);
    if (record.state === "creating" || record.state === "removing") throw notReady(record);
    const { now, records, settings } = this.#context;
    const expiresAt = new Date(Date.parse(record.expiresAt) + addMs);
    checkTtl(expiresAt.getTime() - now().getTime(), settings);
    const extended = await records.update(id, { expiresAt: expiresAt.toISOString() });
    this.events.state(id, { state: extended.state, expiresAt: extended.expiresAt });
    return extended;
  }

  /** Removes a sandbox; one that is being made is broken off first. @throws BerthError SANDBOX_NOT_FOUND */
  async remove(id: string): Promise<void> {
    this.get(id);
    this.#mustBeOpen();
    await this.cancel(id, "its removal was asked for");
    await this.#context.sandboxLocks.run(id, async () => {
      if (!this.#context.records.get(id)) return;
      await takeDown(this.#context, id);
      this.events.end(id, { state: "removed" });
    });
    this.#context.log.info({ sandbox: id }, "sandbox removed");
  }

  /** A fresh bundle, with a client certificate of its own. @throws BerthError SANDBOX_NOT_READY */
  async bundle(id: string, format: BundleFormat): Promise<Readable> {
    const record = this.get(id);
    if (record.state === "creating" || record.state === "removing") throw notReady(record);
    return bundleOf(this.#context, record, format);
  }

  /** What the sandbox uses now. @throws BerthError SANDBOX_NOT_READY */
  async usage(id: string): Promise<Usage> {
    const record = this.get(id);
    if (record.state !== "ready") throw notReady(record);
    const { parts, now } = this.#context;
    const [engine, diskBytes] = await Promise.all([
      parts.engine.usage(id),
      parts.disks.usedBytes(id),
    ]);
    const { limits } = record;
    return {
      at: now().toISOString(),
      memory: { usedBytes: engine.memoryBytes, limitBytes: limits.memoryBytes },
      cpu: { usedSeconds: engine.cpuSeconds, limitCpus: limits.cpus },
      pids: { used: engine.pids, limit: limits.pids },
      disk: { usedBytes: diskBytes, limitBytes: limits.diskBytes },
    };
  }

  /** Removes what has expired and repairs what disagrees; one run at a time. */
  reap(options: { dryRun: boolean }): Promise<ReapResult> {
    this.#mustBeOpen();
    return this.#reconciling.runExclusive(async () => ({
      dryRun: options.dryRun,
      actions: await reconcile(this.#context, { ...options, signal: this.#closing.signal }),
    }));
  }

  /** At the daemon's start: the limits of all slices first, then the repairs. */
  async start(): Promise<void> {
    await this.#reconciling.runExclusive(() => this.#restore());
    await this.reap({ dryRun: false });
  }

  async #restore(): Promise<void> {
    const { log, records } = this.#context;
    const users = new Set(this.list().map((record) => record.user));
    for (const user of users) {
      this.#mustBeOpen();
      await settleSlice(this.#context, user).catch((error: unknown) => {
        log.error({ user, err: error }, "the user's slice could not be set");
      });
    }
    // What failed before may work now: each gets one more try.
    for (const { id, state } of this.list()) {
      if (state === "failed") await records.update(id, { state: "stopped" });
    }
  }

  /** Starts a sandbox again as soon as its container stops by itself. Returns the end of it. */
  keepAlive(): () => void {
    const { parts, sandboxLocks, log } = this.#context;
    return parts.engine.watch((id) => {
      // While somebody makes or removes it, its container may well stop.
      if (sandboxLocks.held(id) || this.#closing.signal.aborted) return;
      sandboxLocks
        .run(id, () => revive(this.#context, id, this.#closing.signal))
        .catch((error: unknown) => {
          log.warn({ sandbox: id, err: error }, "stopped by itself and did not start again");
        });
    });
  }

  /** Breaks off all creations, which unwind, and waits for what else is under way. */
  async close(): Promise<void> {
    this.#closing.abort(
      new BerthError("SHUTTING_DOWN", "berth is shutting down; try again in a moment"),
    );
    await Promise.all([...this.#creations.values()].map(({ done }) => done));
    await this.#reconciling.waitForUnlock();
  }

  #tellFailure(record: SandboxRecord, error: unknown): void {
    const known = error instanceof BerthError ? error : undefined;
    const problem = { code: known?.code ?? "INTERNAL", detail: known?.message ?? internalDetail };
    this.events.end(record.id, { state: "failed", problem });
    this.#context.log.warn(
      { sandbox: record.id, user: record.user, code: problem.code, err: error },
      "sandbox not created",
    );
  }

  #mustBeOpen(): void {
    this.#closing.signal.throwIfAborted();
  }
}

/** Also what is said of a sandbox that the caller may not see. */
export function sandboxNotFound(id: string): BerthError {
  return new BerthError("SANDBOX_NOT_FOUND", `there is no sandbox ${id}; see berth list`);
}

function notReady({ id, state, reason }: SandboxRecord): BerthError {
  const because = reason === undefined ? "" : ` (${reason})`;
  return new BerthError("SANDBOX_NOT_READY", `sandbox ${id} is ${state}${because}, not ready`);
}
