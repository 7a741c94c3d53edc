import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { minLimits, parseConfig } from "../../src/config.js";
import type { CreateRequest } from "../../src/lib/contract/sandbox.js";
import type { SandboxLimits } from "../../src/lib/limits.js";
import { Provisioner } from "../../src/provisioner/provisioner.js";
import { Records, type SandboxRecord } from "../../src/provisioner/records.js";
import type { Settings } from "../../src/provisioner/settings.js";
import { FakeHost } from "./host.js";

export const silentLog = pino({ level: "silent" });

/** Records that a killed daemon no longer writes, and whose writing it can be killed at. */
class MortalRecords extends Records {
  constructor(
    options: ConstructorParameters<typeof Records>[0],
    private readonly host: FakeHost,
  ) {
    super(options);
  }

  override save(record: SandboxRecord): Promise<void> {
    return this.host.call("records.save", () => super.save(record));
  }
}

/** A real provisioner and real records in a temporary directory, on a fake host. */
export class TestBerth {
  readonly host = new FakeHost();
  now = new Date("2026-01-01T12:00:00Z");
  /** The groups a user is in. */
  groupsOf: (user: string) => string[] = () => [];
  provisioner!: Provisioner;
  records!: Records;

  private constructor(
    readonly dir: string,
    readonly settings: Settings,
  ) {}

  static async start(given: unknown = {}): Promise<TestBerth> {
    const config = parseConfig(given, "test config");
    const settings: Settings = {
      publicHosts: ["berth.test"],
      ports: config.ports,
      networkPool: config.network.pool,
      allowPrivate: config.network.allowPrivate,
      subordinateUids: config.subordinateUids,
      dns: [],
      minLimits,
      maxLimits: config.limits.max,
      maxTtlMs: config.ttl.max,
      sandboxesPerUser: config.sandboxesPerUser,
      profiles: config.profiles,
      groups: config.groups,
    };
    const berth = new TestBerth(await mkdtemp(join(tmpdir(), "berth-test-")), settings);
    await berth.restart();
    return berth;
  }

  /** A new daemon on what the last one left: its memory is gone, the directories and the host stay. */
  async restart(): Promise<void> {
    this.host.heal();
    this.records = new MortalRecords({ dir: this.dir, log: silentLog }, this.host);
    this.provisioner = new Provisioner({
      parts: this.host.parts(),
      records: this.records,
      settings: this.settings,
      log: silentLog,
      now: () => this.now,
      groupsOf: (user) => this.groupsOf(user),
    });
    await this.records.load();
    await this.provisioner.incidents.load();
    await this.provisioner.certificates.load();
  }

  async create(user = "ann", more: Omit<CreateRequest, "user"> = {}) {
    const { ready } = await this.provisioner.begin({ user, ...more });
    return ready;
  }

  later(ms: number): void {
    this.now = new Date(this.now.getTime() + ms);
  }

  /** A sandbox's limits as record, slice, container and disk have them, each for itself. */
  limitsOf(id: string) {
    const { user, limits } = this.provisioner.get(id);
    const { memoryBytes, cpus, pids } = this.host.containers.get(id)?.launch.limits ?? {};
    return {
      record: limits,
      slice: this.host.slices.get(user),
      container: { memoryBytes, cpus, pids },
      diskBytes: this.host.disks.get(id)?.fileSystemBytes,
    };
  }

  /** Everything of any sandbox, on the host and in the directory. */
  async leftovers(): Promise<string[]> {
    const directories = (await readdir(this.dir)).map((id) => `directory ${id}`);
    return [...this.host.leftovers(), ...directories];
  }

  async stop(): Promise<void> {
    await this.provisioner.incidents.flush();
    await rm(this.dir, { recursive: true, force: true });
  }
}

/** What `limitsOf` tells of a user's only sandbox when all have the same. */
export function agreed({ diskBytes, ...engine }: SandboxLimits) {
  return {
    record: { ...engine, diskBytes },
    slice: engine,
    container: engine,
    diskBytes,
  };
}
