import type { SandboxLimits } from "../lib/limits.js";
import type { Group, Settings } from "./settings.js";

/**
 * The settings as they are for a member of these groups; pure. What a group does not say is as for
 * everybody, and of several groups the larger counts. In no group that the operator knows: as for
 * everybody. Profiles that give more by themselves than the member may have give that much.
 */
export function allowanceOf(settings: Settings, names: readonly string[]): Settings {
  const groups = settings.groups.filter(({ name }) => names.includes(name));
  if (groups.length === 0) return settings;
  const most = (of: (group: Group) => number) => Math.max(...groups.map(of));
  const { maxLimits: limits } = settings;
  const maxLimits: SandboxLimits = {
    memoryBytes: most((group) => group.maxLimits.memoryBytes ?? limits.memoryBytes),
    cpus: most((group) => group.maxLimits.cpus ?? limits.cpus),
    pids: most((group) => group.maxLimits.pids ?? limits.pids),
    diskBytes: most((group) => group.maxLimits.diskBytes ?? limits.diskBytes),
  };
  const maxTtlMs = most((group) => group.maxTtlMs ?? settings.maxTtlMs);
  const mayHave = (profile: string) =>
    groups.some(({ profiles }) => !profiles || profiles.includes(profile));
  return {
    ...settings,
    maxLimits,
    maxTtlMs,
    sandboxesPerUser: most((group) => group.sandboxesPerUser ?? settings.sandboxesPerUser),
    profiles: settings.profiles
      .filter(({ name }) => mayHave(name))
      .map((profile) => ({
        ...profile,
        ttlMs: Math.min(profile.ttlMs, maxTtlMs),
        limits: smallerOf(profile.limits, maxLimits),
      })),
  };
}

function smallerOf(one: SandboxLimits, other: SandboxLimits): SandboxLimits {
  return {
    memoryBytes: Math.min(one.memoryBytes, other.memoryBytes),
    cpus: Math.min(one.cpus, other.cpus),
    pids: Math.min(one.pids, other.pids),
    diskBytes: Math.min(one.diskBytes, other.diskBytes),
  };
}
