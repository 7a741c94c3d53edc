import { Readable } from "node:stream";
import type { InnerContainer } from "../../src/lib/contract/looks.js";
import { BerthError } from "../../src/lib/errors.js";
import type { Limits } from "../../src/lib/limits.js";
import type {
  Check,
  DiskSpace,
  KernelCounters,
  KernelMessage,
  Launch,
  Route,
} from "../../src/lib/model.js";
import type { Parts } from "../../src/provisioner/parts.js";
import { mustAllow } from "./cgroup.js";
import { fakeDisks } from "./disks.js";
import { fakeEngine } from "./engine.js";
import { fakePreloads } from "./preloads.js";

/** Thrown by every call once the fake daemon has been killed: not even its undos run. */
class Killed extends Error {}

/** The id of a fake sandbox's container. */
export const containerIdOf = (id: string) => Buffer.from(id).toString("hex").padEnd(64, "0");

const MiB = 1024 ** 2;

/** What a kernel says of a sandbox that does nothing. */
export const calmCounters = (
  { memoryBytes, pids }: Pick<Limits, "memoryBytes" | "pids"> = {
    memoryBytes: 1024 * MiB,
    pids: 512,
  },
): KernelCounters => ({
  memory: {
    currentBytes: 60 * MiB,
    inactiveFileBytes: 10 * MiB,
    limitBytes: memoryBytes,
    kills: 0,
  },
  pids: { current: 40, limit: pids, limitHits: 0, peak: 41 },
  cpu: { usedSeconds: 1.5, periods: 0, throttledPeriods: 0, throttledSeconds: 0 },
});

/**
 * A host as the parts see it, in memory: what is made stays until it is removed. Every call has a
 * name (`engine.start`), by which a test lets it fail, hang, or kills the daemon before or after it.
 */
export class FakeHost {
  readonly slices = new Map<string, Limits>();
  readonly disks = new Map<string, Disk>();
  readonly containers = new Map<string, { running: boolean; launch: Launch; starts: number }>();
  readonly networks = new Set<string>();
  readonly routes = new Map<string, Route>();
  /** The network that sandboxes share; stays when they go. */
  bridge = false;
  /** The rules that keep sandboxes from the host. */
  wall = false;
  /** What a look at a running sandbox finds. */
  checks: Check[] = [{ name: "uids", ok: true, detail: "all its own" }];
  /** What a sandbox says that runs in it. */
  inner: InnerContainer[] = [];
  /** Containers that somebody took off their network. */
  readonly disconnected = new Set<string>();
  /** What sandboxes hold that no record speaks of: another Berth's, say. */
  strangersHoldings: { uidBase: number; address: string | undefined }[] = [];
  /** What the kernel says of each sandbox; calm unless a test says otherwise. */
  readonly counters = new Map<string, KernelCounters>();
  readonly spaces = new Map<string, DiskSpace>();
  /** Ports of strangers. */
  readonly strangers = new Set<number>();
  imageBuilt = true;
  /** The newest preload of every profile that has images. */
  preload: string | undefined = "0123456789ab";
  /** Those that are mounted. */
  readonly preloads = new Set<string>();
  /** Whether a mounted disk can be enlarged. */
  mayGrow = true;
  /** What each sandbox uses. */
  used = { memoryBytes: 50_000_000, cpuSeconds: 1.5, pids: 40 };
  /** Names of all calls, in order. */
  readonly calls: string[] = [];

  #failures = new Map<string, Error>();
  #failOnce: { call: string; error: Error; after: number } | undefined;
  #kill: { call: string; when: "before" | "after"; after: number } | undefined;
  #hangs = new Map<string, { reached: () => void; gate: Promise<void> }>();
  #dead = false;
  deathListeners = new Set<(id: string) => void>();
  #kernelListeners = new Set<(message: KernelMessage) => void>();

  /** What is left of sandboxes; empty when all is gone. */
  leftovers(): string[] {
    return [
      ...[...this.slices.keys()].map((user) => `slice of ${user}`),
      ...[...this.disks.keys()].map((id) => `disk ${id}`),
      ...[...this.containers.keys()].map((id) => `container ${id}`),
      ...[...this.networks].map((id) => `network ${id}`),
      ...[...this.routes.keys()].map((id) => `route ${id}`),
      ...[...this.preloads].filter((one) => one !== this.preload).map((one) => `preload ${one}`),
    ];
  }

  failAt(call: string, error: Error = new BerthError("ENGINE_FAILED", `${call} failed`)): void {
    this.#failures.set(call, error);
  }

  /** Only the `nth` of these calls from now fails. */
  failOnceAt(call: string, error: Error, nth = 1): void {
    this.#failOnce = { call, error, after: nth - 1 };
  }

  heal(): void {
    this.#failures.clear();
    this.#failOnce = undefined;
    this.#kill = undefined;
    this.#dead = false;
  }

  killAt(call: string, when: "before" | "after", nth = 1): void {
    this.#kill = { call, when, after: nth - 1 };
  }

  get isKilled(): boolean {
    return this.#dead;
  }

  /** Lets the next `call` wait; resolves `reached` when it does, and goes on at `release`. */
  hangAt(call: string): { reached: Promise<void>; release: () => void } {
    let release = (): void => undefined;
    let reach = (): void => undefined;
    const reached = new Promise<void>((resolve) => (reach = resolve));
    const gate = new Promise<void>((resolve) => (release = resolve));
    this.#hangs.set(call, { reached: reach, gate });
    return { reached, release };
  }

  /** A container that ends by itself. */
  stopContainer(id: string): void {
    const container = this.containers.get(id);
    if (container) container.running = false;
    for (const listener of this.deathListeners) listener(id);
  }

  /** A line of the kernel's log. */
  logKernel(message: KernelMessage): void {
    for (const listener of this.#kernelListeners) listener(message);
  }

  /** How many follow the kernel's log. */
  get kernelListeners(): number {
    return this.#kernelListeners.size;
  }

  /** A reboot: what is not on disk is gone, nothing runs. */
  reboot(): void {
    this.slices.clear();
    this.routes.clear();
    this.preloads.clear();
    for (const disk of this.disks.values()) disk.mounted = false;
    for (const container of this.containers.values()) container.running = false;
  }

  /** One of the daemon's calls; also of what it does to its own files. */
  async call<T>(name: string, act: () => T | Promise<T>): Promise<T> {
    this.#mustLive();
    this.calls.push(name);
    const hang = this.#hangs.get(name);
    if (hang) {
      this.#hangs.delete(name);
      hang.reached();
      await hang.gate;
    }
    const failure = this.#failures.get(name);
    if (failure) throw failure;
    if (this.#failOnce?.call === name && this.#failOnce.after-- === 0) throw this.#failOnce.error;
    const dies =
      this.#kill?.call === name && this.#kill.after-- === 0 ? this.#kill.when : undefined;
    if (dies === "before") this.#dead = true;
    this.#mustLive();
    const result = await act();
    if (dies === "after") this.#dead = true;
    this.#mustLive();
    return result;
  }

  #mustLive(): void {
    if (this.#dead) throw new Killed("killed");
  }

  containerOf(id: string) {
    const container = this.containers.get(id);
    if (!container) throw new BerthError("ENGINE_FAILED", `no container ${id}`);
    return container;
  }

  diskOf(id: string): Disk {
    const disk = this.disks.get(id);
    if (!disk) throw new BerthError("DISK_FAILED", `no disk ${id}`);
    return disk;
  }

  /** False when there is no such container. */
  limit(id: string, { memoryBytes, cpus, pids }: Limits): boolean {
    const container = this.containers.get(id);
    if (!container) return false;
    const { launch, running } = container;
    const slice = this.slices.get(launch.user);
    if (running && slice) mustAllow(slice, { memoryBytes, cpus, pids });
    launch.limits = { ...launch.limits, memoryBytes, cpus, pids };
    return true;
  }

  parts(): Parts {
    return {
      images: {
        require: () =>
          this.call("images.require", () => {
            if (this.imageBuilt) return "berth/dind:0123456789ab";
            throw new BerthError("IMAGE_MISSING", "run berth image build");
          }),
        removeAll: ({ dryRun }) =>
          this.call("images.removeAll", () => {
            const removed = this.imageBuilt ? [{ thing: "image berth/dind:0123456789ab" }] : [];
            if (!dryRun) this.imageBuilt = false;
            return removed;
          }),
      },
      preloads: fakePreloads(this),
      slices: {
        nameOf: (user) => `berth-${user}.slice`,
        ensure: (user, limits) =>
          this.call("slices.ensure", () => {
            for (const { running, launch } of this.containers.values()) {
              if (launch.user === user && running) mustAllow(limits, launch.limits);
            }
            this.slices.set(user, limits);
          }),
        release: (user) => this.call("slices.release", () => void this.slices.delete(user)),
        idleUsers: () =>
          this.call("slices.idleUsers", () => {
            const busy = [...this.containers.values()]
              .filter(({ running }) => running)
              .map(({ launch }) => launch.user);
            return [...this.slices.keys()].filter((user) => !busy.includes(user));
          }),
      },
      disks: fakeDisks(this),
      certificates: {
        issueForSandbox: ({ sandboxId }) =>
          this.call("certificates.issueForSandbox", () => ({
            caPem: `ca of ${sandboxId}`,
            serverCertPem: "cert",
            serverKeyPem: "key",
          })),
        issueClient: ({ sandboxExpiresAt }) =>
          this.call("certificates.issueClient", () => ({
            keyPem: "key",
            certPem: "cert",
            expiresAt: sandboxExpiresAt,
          })),
        issueOwn: () =>
          this.call("certificates.issueOwn", () => ({
            keyPem: "key",
            certPem: "cert",
            expiresAt: new Date(0),
          })),
      },
      engine: fakeEngine(this),
      kernel: {
        counters: ({ containerId, pid }) =>
          this.call("kernel.counters", () => {
            const id = [...this.containers.keys()].find(
              (one) => containerIdOf(one) === containerId,
            );
            if (id === undefined || pid === 0) return undefined;
            return this.counters.get(id) ?? calmCounters(this.containers.get(id)?.launch.limits);
          }),
        watchKernelLog: (onMessage) => {
          this.#kernelListeners.add(onMessage);
          return () => this.#kernelListeners.delete(onMessage);
        },
      },
      door: {
        open: (route) => this.call("door.open", () => void this.routes.set(route.id, route)),
        close: (id) => this.call("door.close", () => void this.routes.delete(id)),
        sync: ({ routes, isBusy }, options) =>
          this.call("door.sync", () => {
            const wanted = new Map(routes().map((route) => [route.id, route]));
            const gone = [...this.routes.keys()].filter((id) => !wanted.has(id) && !isBusy(id));
            const added = [...wanted.keys()].filter((id) => !this.routes.has(id) && !isBusy(id));
            if (!options?.dryRun) {
              for (const id of gone) this.routes.delete(id);
              for (const [id, route] of wanted) if (added.includes(id)) this.routes.set(id, route);
            }
            return [...gone.map((id) => `- ${id}`), ...added.map((id) => `+ ${id}`)];
          }),
        takenPorts: (ports) =>
          this.call("door.takenPorts", () => ports.filter((port) => this.strangers.has(port))),
        uninstall: () =>
          this.call("door.uninstall", () => {
            this.routes.clear();
          }),
      },
      isolation: {
        environment: ({ isolation }) => ({ BERTH_ISOLATION: isolation }),
        raiseWall: () => this.call("isolation.raiseWall", () => void (this.wall = true)),
        takeWallDown: () => this.call("isolation.takeWallDown", () => void (this.wall = false)),
        inspect: () => this.call("isolation.inspect", () => this.checks),
      },
      probe: {
        run: () => this.call("probe.run", () => this.checks),
        containers: () => this.call("probe.containers", () => this.inner),
      },
      bundler: { archive: (format, input) => Readable.from([`${format} of ${input.id}`]) },
      hostNetworks: () => Promise.resolve(["10.210.0.0/30"]),
    };
  }
}

export type Disk = { mounted: boolean } & Record<"sizeBytes" | "fileSystemBytes", number>;
