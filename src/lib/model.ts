import type { SandboxLimits } from "./limits.js";

// The values that pass between the provisioner and its parts.

export interface SandboxCertificateRequest {
  sandboxId: string;
  /** Names and addresses that a client dials. */
  hosts: string[];
}

export interface SandboxCertificates {
  caPem: string;
  serverCertPem: string;
  serverKeyPem: string;
}

export interface ClientCertificateRequest {
  sandboxId: string;
  caPem: string;
  user: string;
  /** End of the sandbox; the certificate ends then or in 24 hours, whichever is first. */
  sandboxExpiresAt: Date;
}

export interface KeyAndCertificate {
  keyPem: string;
  certPem: string;
  expiresAt: Date;
}

/**
 * How a sandbox is held. `userns`: its dockerd is root of a user namespace with uids of its own, behind a
 * firewall it cannot reach. `privileged`: its dockerd runs as real root; for trusted users only, who can
 * become root on the host.
 */
export const isolations = ["userns", "privileged"] as const;
export type Isolation = (typeof isolations)[number];

/** Uids that a `userns` sandbox has; as many as Docker itself maps (userns-remap). */
export const uidsPerSandbox = 65_536;

/** What a `userns` sandbox may open connections to; published ports answer in any case. */
export const egressModes = ["open", "none", "list"] as const;
export interface Egress {
  /** `open`: the Internet. `none`: nothing. `list`: only `to`, and the resolvers. */
  mode: (typeof egressModes)[number];
  /** Addresses and networks (CIDR) of the mode `list`. */
  to: string[];
}

/** What the engine needs to hold one sandbox; everything in it is recorded, so a launch can be repeated. */
export interface Launch {
  id: string;
  user: string;
  name: string;
  isolation: Isolation;
  image: string;
  slice: string;
  limits: SandboxLimits;
  /** Network in which the sandbox has `address`, in CIDR notation. */
  subnet: string;
  address: string;
  /** What its entrypoint is told. */
  environment: Record<string, string>;
  /** First host uid of a `userns` sandbox. */
  uidBase?: number | undefined;
  /** Host directory of the mounted disk. */
  diskDir: string;
  /** Host directory with ca.pem, server-cert.pem and server-key.pem, read-only to the sandbox. */
  certsDir: string;
  /** Host directory of preloaded images, read-only to the sandbox. */
  preloadDir?: string | undefined;
}

/** The part of it that the sandbox's network needs. */
export type NetworkLaunch = Pick<Launch, "id" | "user" | "name" | "isolation" | "subnet">;

/** Whether one layer of what holds a sandbox is as it must be. */
export interface Check {
  name: string;
  ok: boolean;
  /** What was found, for people. */
  detail: string;
}

/** Where a sandbox's dockerd answers on the host's side, and how to prove who we are. */
export interface Peer extends KeyAndCertificate {
  address: string;
  port: number;
  caPem: string;
}

export interface EngineInventory {
  /** Sandbox ids with a container, whether it runs, and whether it is on a network. */
  containers: Map<string, { running: boolean; connected: boolean }>;
  /** Sandbox ids with a network of their own. */
  networks: Set<string>;
  /** Whether the bridge that all `userns` sandboxes share is there. */
  bridge: boolean;
}

/** What the engine knows of a sandbox's container: enough to find it in the kernel. */
export interface ContainerFacts {
  /** 64 hexadecimal digits. */
  containerId: string;
  /** Its first process, as the host counts; 0 when it does not run. */
  pid: number;
}

/** Readings of a container's own cgroup; they count from the container's start. No limit is Infinity. */
export interface KernelCounters {
  /** `kills`: on cgroup v1 without those in cgroups below, each of which has a count of its own. */
  memory: {
    currentBytes: number;
    /** Of it, page cache that can be dropped at once; `docker stats` does not count it as used. */
    inactiveFileBytes: number;
    limitBytes: number;
    kills: number;
  };
  /** `limitHits`: forks that were refused; on v1, and on v2 before Linux 6.11, without those in cgroups below. */
  pids: {
    current: number;
    limit: number;
    limitHits: number;
    /** The most there were at once; 0 where the kernel does not keep it. */
    peak: number;
  };
  cpu: {
    usedSeconds: number;
    /** Periods of the CPU quota (100 ms each) in which something ran, and those in which it was used up. */
    periods: number;
    throttledPeriods: number;
    /** How long its threads waited for the quota, summed over the processors. */
    throttledSeconds: number;
  };
  /** Absent on cgroup v1, and where the kernel keeps none (psi=0). */
  pressure?: Pressure | undefined;
}

/**
 * Pressure stall information of a cgroup (kernel documentation, accounting/psi.rst): for how much of
 * the last minute, percent, something in it waited for the processor, for memory, for a disk.
 */
export type Pressure = Record<"cpu" | "memory" | "io", Stall>;

/** `somePercent`: at least one process waited; `fullPercent`: all that had something to do. */
export interface Stall {
  somePercent: number;
  fullPercent: number;
}

/** A line of the kernel's log that tells of a sandbox. */
export type KernelMessage =
  | {
      kind: "oom-kill";
      containerId: string;
      /**
       * Whose memory was used up: the sandbox's, that of a container inside (`docker run -m`), of the
       * user's slice, or of the host (`berth.slice`, or the machine itself).
       */
      limit: "sandbox" | "inner" | "slice" | "host";
      /** The killed process's name, printable; undefined when the line breaks off before it. */
      task: string | undefined;
    }
  /** `inner`: in a cgroup below the container's own, where another limit may hold. */
  | { kind: "fork-rejected"; containerId: string; inner: boolean };

/** Of a sandbox's file system, as df shows it. */
export interface DiskSpace {
  usedBytes: number;
  freeBytes: number;
  freeInodes: number;
}

/** Host ports that lead into a sandbox. */
export interface Route {
  id: string;
  /** The sandbox's address on its bridge. */
  address: string;
  /** Host port of the engine; leads to enginePort in the sandbox. */
  engineHostPort: number;
  /** Published user ports, forwarded 1:1, both inclusive. */
  from: number;
  to: number;
}

/** Asked for after the present state was read, so that nothing made meanwhile is taken for a leftover. */
export interface WantedRoutes {
  routes: () => Route[];
  /** Whether the sandbox is being made or removed: its route is left as it is. */
  isBusy: (id: string) => boolean;
}

/** TCP port on which dockerd listens inside a sandbox (Docker's convention for TLS). */
export const enginePort = 2376;

export const bundleFormats = ["zip", "tar"] as const;
export type BundleFormat = (typeof bundleFormats)[number];

/** Everything a bundle is made of. */
export interface BundleInput {
  id: string;
  user: string;
  name: string;
  profile: string;
  isolation: Isolation;
  /** tcp:// address for DOCKER_HOST. */
  dockerHost: string;
  /** The host name or address in it; published ports are reached there too. */
  publicHost: string;
  ports: { from: number; to: number };
  expiresAt: Date;
  caPem: string;
  client: KeyAndCertificate;
}
