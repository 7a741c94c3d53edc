import type { CreateRequest, ResizeRequest } from "../lib/contract/sandbox.js";
import { BerthError } from "../lib/errors.js";
import type { SandboxLimits } from "../lib/limits.js";
import { suggestion } from "../lib/strict-issues.js";
import { formatDuration, formatSize, writeSize } from "../lib/units.js";
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
  // Who may not have the default gets the first of those they may.
  const isUsual = settings.profiles.some((known) => known.name === "default");
  const name = request.profile ?? (isUsual ? "default" : (settings.profiles[0]?.name ?? "default"));
  const profile = settings.profiles.find((known) => known.name === name);
  if (!profile) {
    const known = settings.profiles.map((p) => p.name);
    throw new BerthError(
      "PROFILE_UNKNOWN",
      `there is no profile "${name}"${suggestion(name, known)}`,
    );
  }
  const limits = withLimits(profile.limits, request);
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
type LimitKey = keyof typeof limitNames;
const limitKeys = Object.keys(limitNames) as LimitKey[];

/** The limits that are asked for, on those that are there. */
function withLimits(there: SandboxLimits, asked: ResizeRequest): SandboxLimits {
  return {
    memoryBytes: asked.memory ?? there.memoryBytes,
    cpus: asked.cpus ?? there.cpus,
    pids: asked.pids ?? there.pids,
    diskBytes: asked.disk ?? there.diskBytes,
  };
}

function checkLimits(limits: SandboxLimits, settings: Settings, keys = limitKeys): void {
  for (const key of keys) {
    const { format } = limitNames[key];
    const [min, value, max] = [settings.minLimits[key], limits[key], settings.maxLimits[key]];
    if (value >= min && value <= max) continue;
    const range = `from ${format(min)} to ${format(max)}`;
    throw outOfRange(
      key,
      `${format(value)} is out of range; it may be ${range}`,
      `may be ${range}`,
    );
  }
}

/**
 * The limits of a sandbox once a request is granted. Only what is asked for is held against the
 * ceilings: they may have come down since the sandbox was made. Pure.
 * @throws BerthError LIMIT_OUT_OF_RANGE
 */
export function decideResize(
  request: ResizeRequest,
  before: SandboxLimits,
  settings: Settings,
): SandboxLimits {
  const after = withLimits(before, request);
  const asked = limitKeys.filter((key) => request[limitNames[key].name] !== undefined);
  checkLimits(after, settings, asked);
  if (after.diskBytes < before.diskBytes) {
    const has = writeSize(before.diskBytes);
    throw outOfRange(
      "diskBytes",
      `${writeSize(after.diskBytes)} is less than the ${has} it has, and a disk only grows; create a new sandbox for a smaller one`,
      `may be ${has} or more`,
    );
  }
  return after;
}

/**
 * Refuses limits below what is used now: the kernel would kill to reach them (cgroup v2), or not
 * take them (v1). A limit that does not shrink is none of this. Pure.
 * @throws BerthError LIMIT_OUT_OF_RANGE
 */
export function checkUsage(
  after: SandboxLimits,
  before: SandboxLimits,
  used: { memoryBytes: number; pids: number },
): void {
  for (const key of ["memoryBytes", "pids"] as const) {
    if (after[key] >= before[key] || after[key] >= used[key]) continue;
    const { name } = limitNames[key];
    const [wanted, inUse] =
      key === "pids"
        ? [String(after.pids), `${used.pids} processes and threads that run now`]
        : [writeSize(after.memoryBytes), `${wholeMiB(used.memoryBytes)} in use now`];
    throw outOfRange(
      key,
      `${wanted} is less than the ${inUse}; stop some containers in the sandbox first, or leave it more ${name}`,
      `may not be below what is used`,
    );
  }
}

/** Rounded up, so that what is too little never looks like enough. */
function wholeMiB(bytes: number): string {
  return `${Math.ceil(bytes / 1024 ** 2)}M`;
}

function outOfRange(key: LimitKey, text: string, issue: string): BerthError {
  const { name } = limitNames[key];
  return new BerthError("LIMIT_OUT_OF_RANGE", `${name} ${text}`, {
    issues: [{ path: name, message: issue }],
  });
}
