import { join } from "node:path";
import { z } from "zod";
import { incident, type Incident } from "../lib/contract/sandbox.js";
import { KeyedMutex } from "../lib/keyed-mutex.js";
import { sumLimits } from "../lib/limits.js";
import type { Log } from "../lib/log.js";
import { writeWhole } from "../lib/write-whole.js";
import { readBesideRecords } from "./beside-records.js";
import type { SandboxEvents } from "./events.js";
import { incidentsFile, type Records, type SandboxRecord } from "./records.js";
import type { Settings } from "./settings.js";
import { subjectOf, textOf, type Sighting } from "./sightings.js";

const keptPerSandbox = 20;
/** The same thing again within this time is one incident, counted. */
const repeatWithinMs = 600_000;
/** Different things of one kind within that time; any more are counted with the last of them. */
const mostOfOneKind = 4;
/** The log and the counters may both tell of one refused fork; that is not twice. */
const sameMomentMs = 7_000;

/** `subject` tells whether two are the same thing: their texts may differ in a number. */
const storedIncident = z.strictObject({ ...incident.shape, subject: z.string() });
export type StoredIncident = z.infer<typeof storedIncident>;

const fileSchema = z.strictObject({
  version: z.literal(1),
  incidents: z.array(storedIncident).max(keptPerSandbox),
});

/**
 * Adds what was seen to what is known; pure. A repeat only counts up, so that a fork bomb or a process
 * that is killed and started for ever, each time by another name, costs neither events nor memory.
 */
export function fold(
  known: readonly StoredIncident[],
  seen: Sighting,
  text: string,
  at: Date,
): { incidents: StoredIncident[]; isNew: boolean } {
  const subject = subjectOf(seen);
  const recent = known.filter(
    (one) => one.kind === seen.kind && at.getTime() - Date.parse(one.at) < repeatWithinMs,
  );
  const times = seen.kind === "memory" ? seen.times : 1;
  const same = recent.find((one) => one.subject === subject);
  // A kill without a name is more likely one of these than something else.
  const isNameless = seen.kind === "memory" && seen.limit === "unknown";
  const other = isNameless || recent.length >= mostOfOneKind ? recent.at(-1) : undefined;
  const folded = same ?? other;
  if (!folded) {
    const fresh = { kind: seen.kind, subject, text, at: at.toISOString(), count: times };
    return { incidents: [...known, fresh].slice(-keptPerSandbox), isNew: true };
  }
  const isSameMoment = seen.kind === "pids" && at.getTime() - Date.parse(folded.at) < sameMomentMs;
  const again = {
    ...folded,
    text: same ? text : folded.text,
    at: at.toISOString(),
    count: folded.count + times,
  };
  const rest = known.filter((one) => one !== folded);
  return { incidents: isSameMoment ? [...known] : [...rest, again], isNew: false };
}

/** What limits did to each sandbox: the latest, kept beside its record and told once. */
export class Incidents {
  readonly #records: Records;
  readonly #settingsOf: (user: string) => Settings;
  readonly #events: SandboxEvents;
  readonly #log: Log;
  readonly #now: () => Date;
  readonly #known = new Map<string, StoredIncident[]>();
  /** Ids whose counts have grown since they were written. */
  readonly #unwritten = new Set<string>();
  readonly #writing = new KeyedMutex();

  constructor(options: {
    records: Records;
    settingsOf: (user: string) => Settings;
    events: SandboxEvents;
    log: Log;
    now: () => Date;
  }) {
    this.#records = options.records;
    this.#settingsOf = options.settingsOf;
    this.#events = options.events;
    this.#log = options.log;
    this.#now = options.now;
  }

  /** Reads what was kept, once the records are read; what is damaged is logged and forgotten. */
  async load(): Promise<void> {
    const file = { name: incidentsFile, schema: fileSchema, what: "incidents" };
    await readBesideRecords(
      { records: this.#records, log: this.#log },
      file,
      (id, { incidents }) => {
        this.#known.set(id, incidents);
      },
    );
  }

  /** Newest last. */
  of(id: string): Incident[] {
    return (this.#known.get(id) ?? []).map(({ kind, text, at, count }) => ({
      kind,
      text,
      at,
      count,
    }));
  }

  /** Takes what was seen of a sandbox; tells it when it is news. */
  add(id: string, seen: Sighting): void {
    const record = this.#records.get(id);
    if (!record) return;
    const known = this.#known.get(id) ?? [];
    const { incidents, isNew } = fold(known, seen, this.#textOf(seen, record), this.#now());
    this.#known.set(id, incidents);
    this.#unwritten.add(id);
    const told = this.of(id).at(-1);
    if (!isNew || !told) return;
    this.#events.incident(id, told);
    this.#log.info({ sandbox: id, user: record.user, ...told }, "incident");
    void this.#write(id);
  }

  /** Forgets a sandbox; nothing of it is written during `remove`, nor once that took its record away. */
  async forget(id: string, remove: () => Promise<void>): Promise<void> {
    await this.#writing.run(id, async () => {
      await remove();
      this.#known.delete(id);
      this.#unwritten.delete(id);
    });
  }

  /** Writes the counts that have grown; resolves when all is written. */
  async flush(): Promise<void> {
    await Promise.all([...this.#unwritten].map((id) => this.#write(id)));
    await this.#writing.idle();
  }

  async #write(id: string): Promise<void> {
    await this.#writing.run(id, async () => {
      if (!this.#unwritten.delete(id) || !this.#records.get(id)) return;
      const file = { version: 1, incidents: this.#known.get(id) ?? [] };
      try {
        await writeWhole(this.#path(id), JSON.stringify(file, null, 2) + "\n");
      } catch (error) {
        this.#log.warn({ sandbox: id, err: error }, "a sandbox's incidents could not be written");
      }
    });
  }

  #path(id: string): string {
    return join(this.#records.directory(id), incidentsFile);
  }

  #textOf(seen: Sighting, { user, name, limits }: SandboxRecord): string {
    const theirs = this.#records.all().filter((record) => record.user === user);
    const userLimits = sumLimits(theirs.map((record) => record.limits));
    return textOf(seen, {
      user,
      name,
      limits,
      userLimits,
      maxLimits: this.#settingsOf(user).maxLimits,
    });
  }
}
