import { isIPv6 } from "node:net";
import type { Incident, Sandbox } from "../lib/contract/sandbox.js";
import type { SandboxRecord } from "./records.js";

const privilegedWarning =
  "This sandbox is privileged: whoever uses it can become root on the host. For trusted users only.";

/** A sandbox as the API shows it; nothing secret is in a record, and this shows less than the record. */
export function viewOf(
  record: SandboxRecord,
  around: { slice: string; incidents: Incident[]; maxTtlMs: number },
): Sandbox {
  return {
    id: record.id,
    user: record.user,
    name: record.name,
    profile: record.profile,
    isolation: record.isolation,
    state: record.state,
    ...(record.reason === undefined ? {} : { reason: record.reason }),
    ...(record.isolation === "privileged" ? { warning: privilegedWarning } : {}),
    createdAt: record.createdAt,
    expiresAt: record.expiresAt,
    maxTtlMs: around.maxTtlMs,
    dockerHost: dockerHostOf(record),
    ports: { from: record.ports.from, to: record.ports.to },
    limits: record.limits,
    slice: around.slice,
    incidents: around.incidents,
  };
}

/** `tcp://…` for DOCKER_HOST. */
export function dockerHostOf(record: SandboxRecord): string {
  const host = isIPv6(record.publicHost) ? `[${record.publicHost}]` : record.publicHost;
  return `tcp://${host}:${record.ports.engine}`;
}
