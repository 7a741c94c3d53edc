import type { Readable } from "node:stream";
import type { InnerContainer } from "../lib/contract/looks.js";
import type { Limits } from "../lib/limits.js";
import type { PortRange } from "../lib/ports.js";
import type {
  BundleFormat,
  BundleInput,
  Check,
  ClientCertificateRequest,
  ContainerFacts,
  DiskSpace,
  Egress,
  EngineInventory,
  Isolation,
  KernelCounters,
  KernelMessage,
  KeyAndCertificate,
  Launch,
  NetworkLaunch,
  Peer,
  Route,
  SandboxCertificateRequest,
  SandboxCertificates,
  WantedRoutes,
} from "../lib/model.js";

/**
 * The parts the provisioner calls, as narrow as it needs them. Each has one real implementation
 * (the folder named), plugged in by main.ts, and one stateful fake in test/fakes.
 * Every method is safe to repeat: making what is there or removing what is gone is no error.
 */
export interface Parts {
  images: Images;
  preloads: Preloads;
  slices: Slices;
  disks: Disks;
  certificates: Certificates;
  engine: Engine;
  kernel: Kernel;
  door: Door;
  isolation: SandboxIsolation;
  probe: Probe;
  bundler: Bundler;
  /** IPv4 networks the host has routes to, in CIDR notation; a sandbox gets none that overlaps. */
  hostNetworks(): Promise<string[]>;
}

/** src/image: the image sandboxes are made of. */
export interface Images {
  /** The tag of today's dind image; IMAGE_MISSING when it has not been built. */
  require(): Promise<string>;
  /**
   * Removes every image that Berth has made and no container is of; tells which, or on a dry run which it
   * would, and with an act and a reason of their own what stays.
   */
  removeAll(options: {
    dryRun: boolean;
  }): Promise<{ thing: string; act?: string; why?: string; error?: string }[]>;
}

/** src/image/preload: images that sandboxes of a profile have from the start, in a store they share. */
export interface Preloads {
  /** The image with the profile's preload, and the preload's name; IMAGE_MISSING when it has not been built. */
  require(profile: {
    name: string;
    images: readonly string[];
  }): Promise<{ image: string; preload: string }>;
  /** Mounts the preload's store read-only, once for all, and returns where. */
  mount(preload: string): Promise<string>;
  /**
   * Removes stores that no sandbox uses and no new one will, images that were built again, and what a
   * killed build left; tells what it removed or could not, or on a dry run would.
   */
  collect(
    isUsed: (preload: string) => boolean,
    options: { dryRun: boolean },
  ): Promise<{ thing: string; why: string; error?: string }[]>;
  /** Leaves no mount of a store and nothing of a build; the files of stores only on request. No sandbox is left. */
  withdraw(options: { keepFiles: boolean }): Promise<void>;
}

/** src/bundle: what a user takes home. */
export interface Bundler {
  archive(format: BundleFormat, input: BundleInput): Readable;
}

/** src/slice: one transient systemd slice per user, `berth-<escaped user>.slice`. */
export interface Slices {
  /** The slice's unit name; pure. */
  nameOf(user: string): string;
  /** Starts the user's slice or changes its limits live; resolves after they were read back from the cgroup files. */
  ensure(user: string, limits: Limits): Promise<void>;
  /** Stops the user's slice if it holds nothing any more. */
  release(user: string): Promise<void>;
  /** Users whose slice is loaded below berth.slice and holds nothing. */
  idleUsers(): Promise<string[]>;
}

/** src/storage: per sandbox a sparse ext4 image file, loop-mounted. */
export interface Disks {
  /**
   * Makes the image file and its file system, whose root belongs to this uid and gid of the host; one
   * that is there is kept, whatever its size.
   */
  create(id: string, sizeBytes: number, owner: number): Promise<void>;
  /** Mounts it (no-op when mounted) and returns the mount point. */
  mount(id: string): Promise<string>;
  /** Fails where a mounted disk cannot be made larger on this host (DISK_FAILED). */
  checkGrowth(): Promise<void>;
  /**
   * Makes a mounted disk at least this large, live; one that is not mounted gets the room, and its
   * file system grows when this is repeated after the mount. Never makes one smaller.
   */
  grow(id: string, sizeBytes: number): Promise<void>;
  /** Unmounts, detaches, unlinks the image. Never walks the file system inside. */
  remove(id: string): Promise<void>;
  /** What is used and free of its file system; DISK_FAILED when it is not mounted. */
  space(id: string): Promise<DiskSpace>;
  /** Ids whose disk is mounted or attached to a loop device, and lies in our directories. */
  attached(): Promise<string[]>;
  /** Leaves nothing of the directory in which disks are mounted. No sandbox is left. */
  withdraw(): Promise<void>;
}

/** src/certs: what the sandbox's engine presents, and what its clients present. */
export interface Certificates {
  /** Makes the sandbox's CA certificate and the server certificate with its key. */
  issueForSandbox(request: SandboxCertificateRequest): Promise<SandboxCertificates>;
  /** A client certificate with a fresh key from the pool. */
  issueClient(request: ClientCertificateRequest): Promise<KeyAndCertificate>;
  /** Berth's own client certificate for this sandbox's engine; its key never leaves the daemon. */
  issueOwn(request: { sandboxId: string; caPem: string }): Promise<KeyAndCertificate>;
}

/** src/engine: the host's Docker Engine. */
export interface Engine {
  /** Makes the network that sandboxes share. */
  prepareBridge(): Promise<void>;
  /** Removes it. No sandbox is left. */
  removeBridge(): Promise<void>;
  /** Makes the network that the sandbox joins. */
  prepareNetwork(launch: NetworkLaunch): Promise<void>;
  /** What all `userns` sandboxes on this engine hold, another Berth's and those without a record included. */
  holdings(): Promise<{ uidBase: number; address: string | undefined }[]>;
  /** Makes the sandbox's container, not started; one that is there is kept and gets these limits. */
  prepareContainer(launch: Launch): Promise<void>;
  /** Starts the container; resolves once it runs. */
  start(id: string): Promise<void>;
  /**
   * Waits until the sandbox's dockerd answers /_ping over mutual TLS. Fails at once when the
   * container dies, with its last log lines (ENGINE_START_FAILED).
   */
  waitReady(id: string, peer: Peer, signal: AbortSignal): Promise<void>;
  /** Removes container and network, after re-checking that their labels name this sandbox and this installation. */
  remove(id: string): Promise<void>;
  /** Changes the container's limits, live while it runs. */
  setLimits(id: string, limits: Limits): Promise<void>;
  /** The same where the container has others by its own account; false when there is none. */
  settleLimits(id: string, limits: Limits): Promise<boolean>;
  /** What the sandbox as a whole uses now. */
  usage(id: string): Promise<{ memoryBytes: number; cpuSeconds: number; pids: number }>;
  /** How the kernel knows the sandbox's container. */
  facts(id: string): Promise<ContainerFacts>;
  /** Every container and network that carries our labels. */
  inventory(): Promise<EngineInventory>;
  /** Calls back when a sandbox's container stops by itself. Returns a stop function. */
  watch(onStopped: (id: string) => void): () => void;
}

/** How a sandbox is to be held; all of it is recorded. */
export interface Holding {
  isolation: Isolation;
  uidBase?: number | undefined;
  subnet: string;
  address: string;
  ports: PortRange;
  dns: readonly string[];
  allowPrivate: readonly string[];
  egress: Egress;
  devices: readonly string[];
}

/** src/isolation: what holds `userns` sandboxes. */
export interface SandboxIsolation {
  /** What the container's entrypoint is told; pure. */
  environment(holding: Holding): Record<string, string>;
  /** Sets the rules that keep sandboxes on the shared bridge from the host's own addresses. */
  raiseWall(): Promise<void>;
  /** Takes them away. No sandbox is left. */
  takeWallDown(): Promise<void>;
  /** Looks whether the running sandbox is held as it must be: a check for each layer. */
  inspect(facts: ContainerFacts, holding: Holding): Promise<Check[]>;
}

/** src/probe: looks at a sandbox from inside. */
export interface Probe {
  /**
   * Runs a container in the sandbox that tries to get out; its report is only as honest as the sandbox.
   * @param targets addresses it tries to reach: the host's on the sandboxes' network, and one that may
   *   be another sandbox's
   */
  run(peer: Peer, targets: { gateway: string; neighbour: string }): Promise<Check[]>;
  /** The containers that run in the sandbox; its engine's word, made safe to show. */
  containers(peer: Peer): Promise<InnerContainer[]>;
}

/** src/kernel: what the kernel itself says of a sandbox. */
export interface Kernel {
  /**
   * Cheap enough to ask every few seconds; undefined when the container does not run (any more).
   * Where its files are is remembered for as long as the same `facts` object is kept.
   */
  counters(facts: ContainerFacts): Promise<KernelCounters | undefined>;
  /** Calls back for each line of the kernel's log that tells of a sandbox, of any Berth. Returns a stop function. */
  watchKernelLog(onMessage: (message: KernelMessage) => void): () => void;
}

/** src/door: how clients reach the engine and the published ports. */
export interface Door {
  /** Sends the sandbox's host ports to it. */
  open(route: Route): Promise<void>;
  close(id: string): Promise<void>;
  /**
   * Makes the whole forwarding agree with what is wanted and drops all else of ours; tells what
   * changed, or on a dry run would. Waits for an `open` or `close` under way, and holds off others.
   */
  sync(wanted: WantedRoutes, options?: { dryRun?: boolean }): Promise<string[]>;
  /** Of these TCP ports, the ones something on the host already listens on. */
  takenPorts(ports: number[]): Promise<number[]>;
  /** Leaves nothing of this Berth in the host's firewall, but what another one needs as well. */
  uninstall(): Promise<void>;
}
