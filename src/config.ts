import { readFile } from "node:fs/promises";
import { parse as parseYaml } from "yaml";
import type { z } from "zod";
import { definedLimits, findGroupFault, groupsOf, limitKeys } from "./config-access.js";
import { configSchema, profile } from "./config-schema.js";
import { exerciseProfiles } from "./exercise-profiles.js";
import { BerthError, codeOf, messageOf } from "./lib/errors.js";
import type { SandboxLimits } from "./lib/limits.js";
import { parseNetwork } from "./lib/subnets.js";
import { parseStrictly } from "./lib/strict-issues.js";

/** Where the configuration is read from when nobody says otherwise. */
export const defaultConfigPath = "/etc/berth/berth.yaml";

/** Below these a dockerd does not start or no image fits. */
export const minLimits = {
  memoryBytes: 192 * 1024 ** 2,
  cpus: 0.1,
  pids: 64,
  diskBytes: 128 * 1024 ** 2,
};

/** Half of it holds the bridge of all sandboxes. */
const smallestPoolBits = 28;

type Parsed = z.output<typeof configSchema>;

/** The effective configuration: every default applied, sizes in bytes, durations in milliseconds. */
export type Config = ReturnType<typeof effective>;

/**
 * Reads the configuration; a missing file at the default path is an empty one.
 * @throws BerthError CONFIG_INVALID that names file, key and the nearest known key
 */
export async function loadConfig(path: string | undefined): Promise<Config> {
  const file = path ?? defaultConfigPath;
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT" && path === undefined) return parseConfig({}, file);
    throw new BerthError("CONFIG_INVALID", `cannot read ${file}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  let value: unknown;
  try {
    value = parseYaml(text);
  } catch (error) {
    throw new BerthError("CONFIG_INVALID", `${file} is not YAML: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return parseConfig(value ?? {}, file);
}

/** The effective configuration from what was parsed; pure. */
export function parseConfig(value: unknown, file: string): Config {
  const config = effective(parseStrictly(configSchema, value, file, "CONFIG_INVALID"));
  const fault = findContradiction(config);
  if (fault) throw new BerthError("CONFIG_INVALID", `${file} is not valid: ${fault}`);
  return config;
}

/** Two are there without a word in the configuration, which may redefine them. */
const withBuiltIns = ({ empty, ...given }: Parsed["profiles"]): Parsed["profiles"] => ({
  default: profile.parse({}),
  ...given,
  // For those who would find images in `default`.
  empty: empty ?? profile.parse({ description: "A Docker Engine without any image" }),
});

function effective(parsed: Parsed) {
  const base = limitsOf(parsed.limits.default);
  const known = { ...withBuiltIns(parsed.profiles), ...shipped(parsed, base) };
  const profiles = Object.entries(known).map(([name, given]) => ({
    name,
    description: given.description,
    isolation: given.isolation,
    ttlMs: given.ttl ?? parsed.ttl.default,
    limits: { ...base, ...definedLimits(given.limits) },
    egress: { mode: given.egress, to: given.egressTo },
    devices: given.devices,
    images: given.images,
  }));
  return {
    ...parsed,
    limits: { default: base, max: limitsOf(parsed.limits.max) },
    profiles,
    groups: groupsOf(parsed.groups),
  };
}

/**
 * Profiles of the exercises, but for those that the operator defines. Each is the profile `default`
 * with at most as much memory: nobody gets by them what the operator has not given to all.
 */
function shipped({ profiles }: Parsed, base: SandboxLimits): Parsed["profiles"] {
  const common = profiles["default"] ?? profile.parse({});
  const usual = common.limits.memory ?? base.memoryBytes;
  return Object.fromEntries(
    Object.entries(exerciseProfiles)
      .filter(([name]) => !(name in profiles))
      .map(([name, { description, exercises, memoryBytes = usual }]) => {
        const limits = { ...common.limits, memory: Math.min(memoryBytes, usual) };
        return [name, { ...common, description, limits, images: exercises }];
      }),
  );
}

function limitsOf({ memory, cpus, pids, disk }: Parsed["limits"]["default"]): SandboxLimits {
  return { memoryBytes: memory, cpus, pids, diskBytes: disk };
}

function findContradiction(config: Config): string | undefined {
  const { engine, user, perSandbox } = config.ports;
  if (engine.from <= user.to && user.from <= engine.to)
    return `ports.engine (${engine.from}-${engine.to}) and ports.user (${user.from}-${user.to}) overlap`;
  if (user.to - user.from + 1 < perSandbox)
    return `ports.user (${user.from}-${user.to}) is smaller than ports.perSandbox (${perSandbox})`;
  if (config.ttl.default > config.ttl.max) return "ttl.default is above ttl.max";
  if (parseNetwork(config.network.pool).bits > smallestPoolBits)
    return `network.pool ${config.network.pool} is too small; it must be a /${smallestPoolBits} or larger`;
  for (const { name, limits: given, ttlMs, isolation, egress } of config.profiles) {
    if (isolation === "privileged" && !config.allowPrivileged)
      return `profiles.${name} has the isolation privileged, whose users can become root on the host; set allowPrivileged: true if you trust them so far`;
    if ((egress.mode === "list") !== egress.to.length > 0)
      return `profiles.${name}: egressTo and egress: list go together`;
    if (ttlMs > config.ttl.max) return `profiles.${name}.ttl is above ttl.max`;
    for (const key of limitKeys) {
      if (given[key] > config.limits.max[key])
        return `profile ${name}: its ${key} is above limits.max`;
      if (given[key] < minLimits[key])
        return `profile ${name}: its ${key} is below ${minLimits[key]}, with which no engine starts`;
    }
  }
  const groupFault = findGroupFault(config.groups, config.profiles, minLimits);
  if (groupFault) return groupFault;
  const { host, tls, plainHttp } = config.listen;
  if (!tls && !plainHttp && !["127.0.0.1", "::1", "localhost"].includes(host))
    return `listen.host ${host} would carry tokens without TLS; give listen.tls {cert, key} or listen.tls: self, or set listen.plainHttp: true where the network is trusted`;
  return undefined;
}
