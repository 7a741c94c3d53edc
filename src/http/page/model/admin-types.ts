// What only admins are told: the types of the API's own description.

import type { components } from "../../../lib/api/schema.js";
import type { Limits, Role } from "./types.js";

type Schemas = components["schemas"];

export type User = Schemas["User"];

export type AddedUser = Schemas["AddedUser"];

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
export type Host = Schemas["Host"];

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
