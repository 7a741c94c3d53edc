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
  dockerHost: string;
  ports: { from: number; to: number };
  limits: Limits;
  incidents: Incident[];
}

export interface Profile {
  name: string;
  description: string;
  isolation: string;
  ttlMs: number;
  limits: Limits;
}

export interface Me {
  user?: string | undefined;
  role: "user" | "admin";
  sandboxesPerUser: number;
  ttl: { defaultMs: number; maxMs: number };
  profiles: Profile[];
  maxLimits: Limits;
}

export interface Usage {
  at: string;
  memory: { usedBytes: number; limitBytes: number };
  cpu: { usedSeconds: number; limitCpus: number };
  pids: { used: number; limit: number };
  disk: { usedBytes: number; limitBytes: number; freeBytes: number };
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
