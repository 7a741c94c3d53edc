// What only admins are told, as the page reads it.

import type { Limits, Role } from "./types.js";

export interface User {
  name: string;
  role: Role;
  createdAt: string;
  groups?: string[] | undefined;
  hasToken?: boolean | undefined;
  hasPassword?: boolean | undefined;
  lastSeenAt?: string | undefined;
}

export interface AddedUser extends User {
  token: string;
}

export interface Group {
  name: string;
  description?: string | undefined;
  role?: Role | undefined;
  profiles?: string[] | undefined;
  sandboxesPerUser?: number | undefined;
  ttl?: { maxMs?: number | undefined } | undefined;
  maxTtlMs?: number | undefined;
  maxLimits?: Partial<Limits> | undefined;
}

/** The host: what it has, what is used, and what the sandboxes' limits promise together. */
export interface Host {
  memory: { totalBytes: number; usedBytes: number; promisedBytes: number };
  cpu: { cores: number; usedCores: number; promisedCores: number };
  disk: { totalBytes: number; usedBytes: number; promisedBytes: number };
  sandboxes: number;
  users: number;
  version: string;
}

export interface HostEvent {
  at: string;
  type?: string | undefined;
  kind?: string | undefined;
  sandbox?: string | undefined;
  user?: string | undefined;
  name?: string | undefined;
  text?: string | undefined;
  data?: Record<string, unknown> | undefined;
}

export interface Image {
  name?: string | undefined;
  tag?: string | undefined;
  id?: string | undefined;
  profile?: string | undefined;
  state?: string | undefined;
  sizeBytes?: number | undefined;
  createdAt?: string | undefined;
  usedBy?: number | undefined;
  /** New sandboxes start from it. */
  current?: boolean | undefined;
  inUse?: boolean | undefined;
  progress?: { step?: string | undefined; percent?: number | undefined } | undefined;
}
