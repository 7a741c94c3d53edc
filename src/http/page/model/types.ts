// The API's answers as the page reads them. The contract is src/lib/contract (zod, Node side); the
// browser gets no zod, so these are its shapes by hand, with only what the page uses.

export interface Limits {
  memoryBytes: number;
  cpus: number;
  pids: number;
  diskBytes: number;
}

export type SandboxState = "creating" | "ready" | "stopped" | "removing" | "failed";

export interface Incident {
  kind: string;
  text: string;
  at: string;
  count: number;
}

export interface Sandbox {
  id: string;
  user: string;
  name: string;
  profile: string;
  isolation: string;
  state: SandboxState;
  reason?: string | undefined;
  warning?: string | undefined;
  createdAt: string;
  expiresAt: string;
  /** The latest end that can be asked for now. */
  extendableUntil?: string | undefined;
  dockerHost: string;
  ports: { from: number; to: number };
  limits: Limits;
  incidents: Incident[];
}

/** In the admins' list, what it uses stands beside it. */
export type ListedSandbox = Sandbox & { usage?: Usage | undefined };

export interface Profile {
  name: string;
  description: string;
  isolation: string;
  ttlMs: number;
  limits: Limits;
}

export type Role = "user" | "admin";

export interface Me {
  user?: string | undefined;
  role: Role;
  groups?: string[] | undefined;
  sandboxesPerUser: number;
  ttl: { defaultMs: number; maxMs: number };
  profiles: Profile[];
  maxLimits: Limits;
}

export interface Usage {
  at: string;
  memory: { usedBytes: number; limitBytes: number };
  cpu: { usedSeconds: number; limitCpus: number; throttledPercent?: number | undefined };
  pids: { used: number; limit: number };
  disk: { usedBytes: number; limitBytes: number; freeBytes: number };
}

/** One reading of what a sandbox uses; what could not be read is left out. */
export interface UsageSample {
  at: string;
  memoryBytes?: number | undefined;
  cpuCores?: number | undefined;
  pids?: number | undefined;
  diskBytes?: number | undefined;
}

export interface UsageHistory {
  intervalMs: number;
  samples: UsageSample[];
}

export interface ContainerPort {
  /** The port of the sandbox that leads to it; absent when it is not published. */
  hostPort?: number | undefined;
  containerPort?: number | undefined;
  protocol?: string | undefined;
}

export interface Container {
  name: string;
  image: string;
  state: string;
  ports: (ContainerPort | string)[];
}

export interface Certificate {
  issuedAt: string;
  expiresAt: string;
}

export interface Verification {
  ok: boolean;
  checks: { name: string; seenFrom: "host" | "inside"; ok: boolean; detail: string }[];
}

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
export interface Method {
  kind: "password" | "oidc" | "proxy";
  label: string;
  url?: string | undefined;
}

export interface SessionAnswer {
  signedIn: boolean;
  user?: string | undefined;
  role?: Role | undefined;
  methods: Method[];
  /** Why the last sign-in by a provider failed; told once. */
  problem?: Problem | undefined;
}

export type Credentials = { user: string; password: string } | { token: string };
