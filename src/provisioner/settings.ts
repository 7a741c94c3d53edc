import type { SandboxLimits } from "../lib/limits.js";
import type { PortRange } from "../lib/ports.js";
import type { Egress, Isolation } from "../lib/model.js";

/** What the operator decided, as far as sandboxes are concerned (a part of the configuration). */
export interface Settings {
  /** Names and addresses that clients dial; the first stands in bundles. */
  publicHosts: string[];
  ports: { engine: PortRange; user: PortRange; perSandbox: number };
  /** IPv4 networks of sandboxes are cut from this CIDR. */
  networkPool: string;
  /** Private networks that sandboxes may reach, in CIDR notation. */
  allowPrivate: string[];
  /** Host uids that sandboxes get, both ends included. */
  subordinateUids: { from: number; to: number };
  dns: string[];
  minLimits: SandboxLimits;
  maxLimits: SandboxLimits;
  maxTtlMs: number;
  sandboxesPerUser: number;
  profiles: Profile[];
  /** What members may have instead. */
  groups: Group[];
}

export interface Group {
  name: string;
  /** What is left out is as for everybody. */
  maxLimits: Partial<SandboxLimits>;
  maxTtlMs?: number | undefined;
  sandboxesPerUser?: number | undefined;
  profiles?: string[] | undefined;
}

export interface Profile {
  name: string;
  description: string;
  isolation: Isolation;
  ttlMs: number;
  limits: SandboxLimits;
  egress: Egress;
  /** Device nodes of the host. */
  devices: string[];
  /** What it preloads; most preload nothing. */
  images: string[];
}
