import { setImmediate as turn } from "node:timers/promises";
import { codeOf, messageOf } from "../lib/errors.js";
import type { ContainerFacts, DiskSpace, KernelMessage, Pressure } from "../lib/model.js";
import type { Context } from "./context.js";
import { Observation } from "./observation.js";
import type { SandboxRecord } from "./records.js";
import { sampleEveryMs, UsageSamples } from "./usage-history.js";

/** Counts of repeats are written this seldom. */
const samplesPerFlush = 12;
/** Messages that wait for the engine's answer; the kernel itself tells of ten kills in five seconds at most. */
const mostWaiting = 100;

interface Seen {
  observation: Observation;
  /** Kept until its container stops, so that the engine is asked once; undefined when to ask. */
  facts: ContainerFacts | undefined;
  /** The pid of the facts before these. */
  lastPid: number | undefined;
}

/** Sees what limits do to sandboxes, by samples of all that are ready and by the kernel's log. */
export class Watch {
  readonly samples = new UsageSamples();
  readonly #context: Context;
  readonly #seen = new Map<string, Seen>();
  /** Sandboxes by the id of their container; it stays the same when that starts again. */
  readonly #owners = new Map<string, string>();
  /** Ran before we did: what their counters say by now is no news. */
  #older = new Set<string>();
  #sampling: Promise<void> | undefined;
  #samples = 0;
  #waiting = 0;
  #queue = Promise.resolve();

  constructor(context: Context) {
    this.#context = context;
    context.events.onAny((id, { type, data }) => {
      const seen = this.#seen.get(id);
      if (seen && type === "state" && data.state !== "ready") seen.facts = undefined;
    });
  }

  /** Samples every few seconds and follows the kernel's log, until the returned function is called. */
  start(): () => void {
    const { records, parts } = this.#context;
    this.#older = new Set(records.all().map(({ id }) => id));
    const stopLog = parts.kernel.watchKernelLog((message) => void this.take(message));
    const timer = setInterval(() => void this.sample(), sampleEveryMs);
    timer.unref();
    return () => {
      clearInterval(timer);
      stopLog();
    };
  }

  /** What the last sample said of a sandbox; zeros before the first. */
  latest(id: string): {
    kills: number;
    throttledPercent: number;
    limitHits: number;
    pressure: Pressure | undefined;
  } {
    const {
      kills = 0,
      throttledPercent = 0,
      limitHits = 0,
    } = this.#seen.get(id)?.observation ?? {};
    const pressure = this.samples.last(id)?.counters.pressure;
    return { kills, throttledPercent, limitHits, pressure };
  }

  /** Looks at every ready sandbox once; a look that is under way is joined. */
  sample(): Promise<void> {
    this.#sampling ??= this.#sampleAll().finally(() => (this.#sampling = undefined));
    return this.#sampling;
  }

  async #sampleAll(): Promise<void> {
    const { records, incidents } = this.#context;
    let engineAnswers = true;
    for (const record of records.all()) {
      if (record.state !== "ready") continue;
      try {
        if (engineAnswers || this.#seen.get(record.id)?.facts) await this.#sampleOne(record);
      } catch (error) {
        // An engine that is away is not asked two hundred times.
        if (codeOf(error) === "ENGINE_UNREACHABLE") engineAnswers = false;
        this.#context.log.debug({ sandbox: record.id, err: error }, "a sample failed");
      }
      // Requests come first: reading the counters holds the thread.
      await turn();
    }
    this.#forgetRemoved();
    if (++this.#samples % samplesPerFlush === 0) await incidents.flush();
  }

  async #sampleOne({ id }: SandboxRecord): Promise<void> {
    const { parts, incidents, now } = this.#context;
    const { facts, observation } = await this.#factsOf(id);
    const counters = await parts.kernel.counters(facts);
    if (!counters) {
      this.#forgetFacts(id);
      return;
    }
    const space = await this.#spaceOf(id);
    const sample = { atMs: now().getTime(), counters, space };
    this.samples.add(id, sample);
    for (const seen of observation.take(sample)) incidents.add(id, seen);
  }

  async #spaceOf(id: string): Promise<DiskSpace | undefined> {
    try {
      return await this.#context.parts.disks.space(id);
    } catch (error) {
      this.#context.log.debug({ sandbox: id, reason: messageOf(error) }, "no space was read");
      return undefined;
    }
  }

  /** Takes a message of the kernel's log; one after the other, and none that cannot be kept up with. */
  take(message: KernelMessage): Promise<void> {
    if (this.#waiting >= mostWaiting) return this.#queue;
    this.#waiting++;
    this.#queue = this.#queue
      .then(() => this.#tell(message))
      .catch((error: unknown) => {
        this.#context.log.debug({ ...message, err: error }, "a kernel message was not understood");
      })
      .finally(() => this.#waiting--);
    return this.#queue;
  }

  async #tell(message: KernelMessage): Promise<void> {
    const { incidents } = this.#context;
    const id = await this.#ownerOf(message.containerId);
    if (id === undefined) return;
    const { observation } = this.#seenOf(id);
    if (message.kind === "oom-kill") {
      const { limit, task } = message;
      observation.noteKill();
      incidents.add(id, { kind: "memory", limit, task, times: 1 });
    } else if (message.inner && !(await this.#isCrowded(id))) {
      incidents.add(id, { kind: "pids", limit: "inner" });
    } else incidents.add(id, observation.noteRefusedFork());
  }

  async #isCrowded(id: string): Promise<boolean> {
    const { facts, observation } = await this.#factsOf(id);
    const counters = await this.#context.parts.kernel.counters(facts);
    return counters !== undefined && observation.isCrowded(counters.pids);
  }

  /** The sandbox of a container; asks the engine about those whose container is not known now. */
  async #ownerOf(containerId: string): Promise<string | undefined> {
    const { records, log } = this.#context;
    for (const { id } of this.#owners.has(containerId) ? [] : records.all()) {
      if (this.#seen.get(id)?.facts) continue;
      await this.#factsOf(id).catch((error: unknown) => {
        log.debug({ sandbox: id, reason: messageOf(error) }, "its container is not known");
      });
    }
    return this.#owners.get(containerId);
  }

  async #factsOf(id: string): Promise<{ facts: ContainerFacts; observation: Observation }> {
    const seen = this.#seenOf(id);
    if (seen.facts) return { facts: seen.facts, observation: seen.observation };
    const facts = await this.#context.parts.engine.facts(id);
    this.#owners.set(facts.containerId, id);
    if (facts.pid !== 0) {
      if (seen.lastPid !== undefined && seen.lastPid !== facts.pid) seen.observation.restart();
      seen.lastPid = facts.pid;
      seen.facts = facts;
    }
    return { facts, observation: seen.observation };
  }

  #forgetFacts(id: string): void {
    const seen = this.#seen.get(id);
    if (seen) seen.facts = undefined;
  }

  #seenOf(id: string): Seen {
    const known = this.#seen.get(id);
    if (known) return known;
    const isFull = this.#context.incidents.of(id).some(({ kind }) => kind === "disk");
    const observation = new Observation({ isNew: !this.#older.has(id), isFull });
    const seen = { observation, facts: undefined, lastPid: undefined };
    this.#seen.set(id, seen);
    return seen;
  }

  #forgetRemoved(): void {
    const { records } = this.#context;
    this.samples.forget((id) => !records.get(id));
    for (const id of this.#seen.keys()) if (!records.get(id)) this.#seen.delete(id);
    for (const [container, id] of this.#owners)
      if (!records.get(id)) this.#owners.delete(container);
  }
}
