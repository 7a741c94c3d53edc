// The API's answers as the page reads them: the types of the API's own description, made from the
// contract (src/lib/contract, zod, Node side), of which the browser gets nothing else.

import type { components } from "../../../lib/api/schema.js";

type Schemas = components["schemas"];

export interface Limits {
  memoryBytes: number;
  cpus: number;
  pids: number;
  diskBytes: number;
}

export type SandboxState = "creating" | "ready" | "stopped" | "removing" | "failed";

export type Incident = Schemas["Incident"];

export type Sandbox = Schemas["Sandbox"];

/** In the admins' list, what it uses stands beside it. */
export type ListedSandbox = Sandbox & { usage?: Usage | undefined };

export type Profile = Me["profiles"][number];

export type Role = "user" | "admin";

export type Me = Schemas["Me"];

export type Usage = Schemas["Usage"];

/** One reading of what a sandbox uses; what could not be read is left out. */
export type UsageSample = UsageHistory["samples"][number];

export type UsageHistory = Schemas["UsageHistory"];

export interface ContainerPort {
  /** The port of the sandbox that leads to it; absent when it is not published. */
  hostPort?: number | undefined;
  containerPort?: number | undefined;
  protocol?: string | undefined;
}

export type Container = Schemas["Container"];

export type Certificate = Schemas["CertificateList"]["certificates"][number];

export type Verification = Schemas["Verification"];

/** RFC 9457 problem details, as Berth sends them. */
export interface Problem {
  title: string;
  detail: string;
  code: string;
  errors?: { path: string; message: string }[] | undefined;
}

export interface StepEvent {
  step: string;
  status: "started" | "done" | "failed";
  ms?: number | undefined;
}

export interface StateEvent {
  state: SandboxState | "removed";
  ms?: number | undefined;
  expiresAt?: string | undefined;
  reason?: string | undefined;
  problem?: Pick<Problem, "code" | "detail"> | undefined;
}

/** What the form sends; the API parses sizes and durations, so they stay as typed. */
export type CreateRequest = Partial<
  Record<"user" | "name" | "profile" | "ttl" | "memory" | "cpus" | "pids" | "disk", string>
>;

export type ResizeRequest = Partial<Record<"memory" | "cpus" | "pids" | "disk", string>>;

/** A way to sign in that the operator has set up. */
export type Method = Schemas["SignInMethod"];

export type SessionAnswer = Schemas["Session"];

export type Credentials = { user: string; password: string } | { token: string };
