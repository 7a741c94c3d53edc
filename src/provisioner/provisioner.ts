import type { Readable } from "node:stream";
import { Mutex } from "async-mutex";
import type { ReapResult, ResizeRequest, Usage } from "../lib/contract/sandbox.js";
import type { Verification } from "../lib/contract/verify.js";
import { BerthError, internalDetail } from "../lib/errors.js";
import { KeyedMutex } from "../lib/keyed-mutex.js";
import type { Log } from "../lib/log.js";
import type { BundleFormat } from "../lib/model.js";
import { allowanceOf } from "./allowance.js";
import { Backoff } from "./backoff.js";
import { bundleOf } from "./bundle.js";
import { clearHost, type ClearOptions } from "./clear-host.js";
import type { Context } from "./context.js";
import { cancelled, create } from "./create.js";
import { SandboxEvents } from "./events.js";
import { ClientCertificates } from "./client-certificates.js";
import { Incidents } from "./incidents.js";
import { keepAlive } from "./keep-alive.js";
import { Looks } from "./looks.js";
import type { Parts } from "./parts.js";
import { RecentEvents } from "./recent-events.js";
import { reconcile } from "./reconcile.js";
import { checkTtl } from "./request.js";
import type { Records, SandboxRecord } from "./records.js";
import { notReady, sandboxNotFound } from "./refusals.js";
import { reserve, type OwnedRequest } from "./reserve.js";
import { resize } from "./resize.js";
import { restore } from "./restore.js";
import type { Settings } from "./settings.js";
import { takeDown } from "./take-down.js";
import { usageOf } from "./usage.js";
import { verify } from "./verify.js";
import { Watch } from "./watch.js";

/** Makes, keeps and removes sandboxes; the one place that decides about them. */
export class Provisioner {
  readonly events: SandboxEvents;
  readonly incidents: Incidents;
  readonly certificates: ClientCertificates;
  readonly recent: RecentEvents;
  readonly looks: Looks;
  readonly #watch: Watch;
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
    /** The groups a user is in. */
    groupsOf?: (user: string) => string[];
  }) {
    const { now = () => new Date(), groupsOf = () => [], settings } = options;
    const settingsOf = (user: string) => allowanceOf(settings, groupsOf(user));
    this.events = new SandboxEvents(now);
    this.incidents = new Incidents({ ...options, events: this.events, now, settingsOf });
    this.certificates = new ClientCertificates({ ...options, now });
    this.#context = {
      ...options,
      now,
      settingsOf,
      events: this.events,
      incidents: this.incidents,
      certificates: this.certificates,
      backoff: new Backoff(now),
      userLocks: new KeyedMutex(),
      sandboxLocks: new KeyedMutex(),
    };
    this.#watch = new Watch(this.#context);
    this.recent = new RecentEvents(this.#context);
    this.looks = new Looks(this.#context, this.#watch);
  }

  get settings(): Settings {
    return this.#context.settings;
  }

  /** What a user may have, by their groups. */
  settingsOf(user: string): Settings {
    return this.#context.settingsOf(user);
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
    return this.#reservations.runExclusive(async () => {
      const record = await reserve(this.#context, request);
      const { saved, ready } = this.#make(record);
      await saved;
      return { record, ready };
    });
  }

  /** Saves the record and makes the sandbox, its lock held from before anybody can see the record. */
  #make(record: SandboxRecord): { saved: Promise<void>; ready: Promise<SandboxRecord> } {
    const { records, sandboxLocks } = this.#context;
    const abort = new AbortController();
    const signal = AbortSignal.any([abort.signal, this.#closing.signal]);
    let saved = Promise.resolve();
    const ready = sandboxLocks.run(record.id, async () => {
      await saved;
      return create(this.#context, record, signal);
    });
    saved = records.save(record).catch(async (error: unknown) => {
      // What was never written must not hold name, ports and network.
      await records.remove(record.id);
      throw error;
    });
    const done = ready.then(
      () => this.#creations.delete(record.id),
      (error: unknown) => {
        this.#creations.delete(record.id);
        this.#tellFailure(record, error);
      },
    );
    this.#creations.set(record.id, { abort, done });
    return { saved, ready };
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
    const { now, records, settingsOf } = this.#context;
    const expiresAt = new Date(Date.parse(record.expiresAt) + addMs);
    checkTtl(expiresAt.getTime() - now().getTime(), settingsOf(record.user));
    const extended = await records.update(id, { expiresAt: expiresAt.toISOString() });
    this.events.state(id, { state: extended.state, expiresAt: extended.expiresAt });
    return extended;
  }

  /**
   * Changes the limits of a sandbox while it runs.
   * @throws BerthError SANDBOX_NOT_FOUND, SANDBOX_NOT_READY, LIMIT_OUT_OF_RANGE and what the parts throw
   */
  async resize(id: string, request: ResizeRequest): Promise<SandboxRecord> {
    this.#mustBeOpen();
    // Before the lock as well: whoever makes or starts it holds that for long.
    this.#mustBeReady(id);
    return this.#context.sandboxLocks.run(id, () =>
      resize(this.#context, this.#mustBeReady(id), request),
    );
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

  /**
   * Marks all sandboxes of a user as being removed, so that reap finishes it whatever happens to the
   * daemon; those that are being made are broken off. Returns the ids that are left to remove.
   */
  async condemn(user: string): Promise<string[]> {
    const { records, sandboxLocks } = this.#context;
    const ids = this.list()
      .filter((record) => record.user === user)
      .map(({ id }) => id);
    for (const id of ids) {
      await this.cancel(id, `its user ${user} is removed`);
      await sandboxLocks.run(id, async () => {
        if (records.get(id)) await records.update(id, { state: "removing" });
      });
    }
    return ids.filter((id) => records.get(id));
  }

  /** A fresh bundle, with a client certificate of its own. @throws BerthError SANDBOX_NOT_READY */
  async bundle(id: string, format: BundleFormat): Promise<Readable> {
    const record = this.get(id);
    if (record.state === "creating" || record.state === "removing") throw notReady(record);
    const { archive, expiresAt } = await bundleOf(this.#context, record, format);
    await this.certificates.add(id, expiresAt);
    return archive;
  }

  /** What the sandbox uses now. @throws BerthError SANDBOX_NOT_READY */
  async usage(id: string): Promise<Usage> {
    return usageOf(this.#context, this.#mustBeReady(id), this.#watch.latest(id));
  }

  /** How the sandbox is held, looked at anew. @throws BerthError SANDBOX_NOT_READY, ENGINE_FAILED */
  async verify(id: string): Promise<Verification> {
    return verify(this.#context, this.#mustBeReady(id));
  }

  /** Sees what limits do to sandboxes, and tells it as incidents. Returns the end of it. */
  observe(): () => void {
    return this.#watch.start();
  }

  /** The look at all sandboxes that `observe` has every few seconds. */
  lookNow(): Promise<void> {
    return this.#watch.sample();
  }

  get isReaping(): boolean {
    return this.#reconciling.isLocked();
  }

  /** Removes what has expired and repairs what disagrees; one run at a time. */
  reap(options: { dryRun: boolean }): Promise<ReapResult> {
    this.#mustBeOpen();
    return this.#reconciling.runExclusive(async () => ({
      dryRun: options.dryRun,
      actions: await reconcile(this.#context, { ...options, signal: this.#closing.signal }),
    }));
  }

  /**
   * Takes this Berth off the host; for a process that does nothing else.
   * @throws BerthError SANDBOX_EXISTS while there are sandboxes, without `purge`
   */
  clearHost(options: ClearOptions): Promise<ReapResult> {
    return this.#reconciling.runExclusive(async () => ({
      dryRun: options.dryRun,
      actions: await clearHost(this.#context, options),
    }));
  }

  /** At the daemon's start: all limits first, then the repairs. */
  async start(): Promise<void> {
    await this.#reconciling.runExclusive(() => restore(this.#context, this.#closing.signal));
    await this.reap({ dryRun: false });
  }

  /** Starts a sandbox again as soon as its container stops by itself. Returns the end of it. */
  keepAlive(): () => void {
    return keepAlive(this.#context, this.#closing.signal);
  }

  /** Breaks off all creations, which unwind, and waits for what else is under way. */
  async close(): Promise<void> {
    this.#closing.abort(
      new BerthError("SHUTTING_DOWN", "berth is shutting down; try again in a moment"),
    );
    await this.#reservations.waitForUnlock();
    await this.#reconciling.waitForUnlock();
    await this.#context.sandboxLocks.idle();
    await this.#context.userLocks.idle();
    await Promise.all([...this.#creations.values()].map(({ done }) => done));
    await this.incidents.flush();
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

  #mustBeReady(id: string): SandboxRecord {
    const record = this.get(id);
    if (record.state !== "ready") throw notReady(record);
    return record;
  }

  #mustBeOpen(): void {
    this.#closing.signal.throwIfAborted();
  }
}
