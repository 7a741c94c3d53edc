import type { CreateRequest } from "../lib/contract/sandbox.js";
import { BerthError } from "../lib/errors.js";
import type { SandboxLimits } from "../lib/limits.js";
import { suggestion } from "../lib/strict-issues.js";
import { formatDuration, formatSize } from "../lib/units.js";
import type { Profile, Settings } from "./settings.js";

/** What a request comes to, once profile, defaults and ceilings are applied. */
export interface Spec {
  profile: Profile;
  ttlMs: number;
  limits: SandboxLimits;
}

/**
 * Applies the profile to a request and holds it against the operator's ceilings; pure.
 * @throws BerthError PROFILE_UNKNOWN, TTL_TOO_LONG, LIMIT_OUT_OF_RANGE
 */
export function decideSpec(request: CreateRequest, settings: Settings): Spec {
  const name = request.profile ?? "default";
  const profile = settings.profiles.find((known) => known.name === name);
  if (!profile) {
    const known = settings.profiles.map((p) => p.name);
    throw new BerthError(
      "PROFILE_UNKNOWN",
      `there is no profile "${name}"${suggestion(name, known)}`,
    );
  }
  const limits = {
    memoryBytes: request.memory ?? profile.limits.memoryBytes,
    cpus: request.cpus ?? profile.limits.cpus,
    pids: request.pids ?? profile.limits.pids,
    diskBytes: request.disk ?? profile.limits.diskBytes,
  };
  const ttlMs = request.ttl ?? profile.ttlMs;
  checkTtl(ttlMs, settings);
  checkLimits(limits, settings);
  return { profile, ttlMs, limits };
}

/** @throws BerthError TTL_TOO_LONG */
export function checkTtl(ttlMs: number, settings: Settings): void {
  if (ttlMs <= settings.maxTtlMs) return;
  throw new BerthError(
    "TTL_TOO_LONG",
    `a sandbox may have at most ${formatDuration(settings.maxTtlMs)} before it; this would be ${formatDuration(ttlMs)}`,
    { issues: [{ path: "ttl", message: `may be at most ${formatDuration(settings.maxTtlMs)}` }] },
  );
}

const limitNames = {
  memoryBytes: { name: "memory", format: formatSize },
  cpus: { name: "cpus", format: String },
  pids: { name: "pids", format: String },
  diskBytes: { name: "disk", format: formatSize },
} as const;

function checkLimits(limits: SandboxLimits, settings: Settings): void {
  for (const key of Object.keys(limitNames) as (keyof typeof limitNames)[]) {
    const { name, format } = limitNames[key];
    const [min, value, max] = [settings.minLimits[key], limits[key], settings.maxLimits[key]];
    if (value >= min && value <= max) continue;
    const range = `from ${format(min)} to ${format(max)}`;
    throw new BerthError(
      "LIMIT_OUT_OF_RANGE",
      `${name} ${format(value)} is out of range; it may be ${range}`,
      { issues: [{ path: name, message: `may be ${range}` }] },
    );
  }
}
