import { readFile } from "node:fs/promises";
import { parse as parseYaml } from "yaml";
import { z } from "zod";
import {
  findGroupFault,
  groupsOf,
  groupsSchema,
  limitKeys,
  limits,
  proxyAddress,
  publicUrl,
  signInSchema,
  type GivenLimits,
} from "./config-access.js";
import { duration } from "./lib/contract/sandbox.js";
import { exerciseProfiles } from "./exercise-profiles.js";
import { BerthError, codeOf, messageOf } from "./lib/errors.js";
import { egressModes, isolations, uidsPerSandbox } from "./lib/model.js";
import { parseNetwork } from "./lib/subnets.js";
import { parseStrictly } from "./lib/strict-issues.js";

/** Where the configuration is read from when nobody says otherwise. */
export const defaultConfigPath = "/etc/berth/berth.yaml";

const GiB = 1024 ** 3;
const hour = 3_600_000;
const port = z.int().min(1).max(65_535);

/** `20000-20499` or {from, to}; both ends are included. */
const portRange = z
  .union([
    z
      .string()
      .regex(/^\d+-\d+$/, "must look like 20000-20499")
      .transform((text) => {
        const [from, to] = text.split("-").map(Number);
        return { from, to };
      }),
    z.strictObject({ from: port, to: port }),
  ])
  .pipe(z.object({ from: port, to: port }))
  .refine(({ from, to }) => from <= to, "must not end before it starts");

/** IPv4 address or network. */
const network = z.union([z.cidrv4(), z.ipv4()]);

const profile = z.strictObject({
  description: z.string().max(200).default(""),
  isolation: z.enum(isolations).default("userns"),
  ttl: duration.optional(),
  limits: limits.default({}),
  /** Where its sandboxes may open connections to. */
  egress: z.enum(egressModes).default("open"),
  /** For egress `list`: addresses and networks. */
  egressTo: z.array(network).max(256).default([]),
  /**
   * Images that its sandboxes have from the start: references (the host's engine is asked, then a
   * registry), absolute paths of `docker save` files and OCI layouts, names of exercises.
   */
  images: z
    .array(
      z
        .string()
        .min(1)
        .max(400)
        .regex(/^\S+$/, "must be an image reference or an absolute path, without spaces"),
    )
    .max(64)
    .default([]),
  /** Device nodes of the host that its sandboxes get. */
  devices: z
    .array(
      z
        .string()
        .regex(/^\/dev\/(?!.*\.\.)[a-zA-Z0-9/_.-]+$/, "must be a path below /dev")
        // Who may write to one may detach it (LOOP_CLR_FD asks for no capability), and then has
        // under the same node whatever the host attaches next: another sandbox's disk.
        .refine(
          (path) => !/\/loop[^/]*$/.test(path),
          "is a loop device, whose holder can swap what is behind it; give a file instead",
        ),
    )
    .max(32)
    .default([]),
});

const schema = z.strictObject({
  /** Records of sandboxes, their disks, users, and the key that signs certificates. */
  dataDir: z.string().startsWith("/").default("/var/lib/berth"),
  /** Socket and mounts; emptied by a reboot. */
  runDir: z.string().startsWith("/").max(80).default("/run/berth"),
  listen: z
    .strictObject({
      host: z.string().default("127.0.0.1"),
      port: port.default(8420),
      /** The operator's PEM files; `self`: a certificate of Berth's own making. */
      tls: z
        .union([z.strictObject({ cert: z.string(), key: z.string() }), z.literal("self")])
        .optional(),
      /** Serve tokens and pages without TLS on an address that is not loopback. */
      plainHttp: z.boolean().default(false),
      /** Reverse proxies: what they say of where a request comes from (X-Forwarded-…) is believed. */
      proxies: z.array(proxyAddress).default([]),
    })
    .prefault({}),
  /** Names and addresses clients dial; the first stands in bundles. Default: the address of the default route. */
  publicHosts: z.array(z.string().min(1).max(253)).min(1).optional(),
  /** Where browsers reach page and API, when a reverse proxy stands in between. */
  publicUrl: publicUrl.optional(),
  signIn: signInSchema.prefault({}),
  ports: z
    .strictObject({
      engine: portRange.prefault("20000-20999"),
      user: portRange.prefault("21000-30999"),
      perSandbox: z.int().min(1).max(1000).default(10),
    })
    .prefault({}),
  network: z
    .strictObject({
      /** IPv4 networks of sandboxes are cut from here. */
      pool: z.cidrv4().default("10.210.0.0/16"),
      /** Private networks that sandboxes may reach all the same: a registry, a licence server. */
      allowPrivate: z.array(network).max(256).default([]),
    })
    .prefault({}),
  /** Whether profiles may have the isolation `privileged`, whose users can become root on the host. */
  allowPrivileged: z.boolean().default(false),
  /** Resolvers of the sandboxes; default: those of the host that a sandbox can reach. */
  dns: z.array(z.union([z.ipv4(), z.ipv6()])).optional(),
  limits: z
    .strictObject({
      default: limits.default({}),
      max: limits.default({}),
    })
    .prefault({}),
  ttl: z
    .strictObject({
      default: duration.default(24 * hour),
      max: duration.default(7 * 24 * hour),
    })
    .prefault({}),
  sandboxesPerUser: z.int().min(1).max(1000).default(3),
  profiles: z
    .record(
      z.string().regex(/^[a-z][a-z0-9-]{0,63}$/, "must be lower-case letters, digits and -"),
      profile,
    )
    .default({}),
  /** What members of a group may have, more or less than others; of several the larger counts. */
  groups: groupsSchema.default({}),
  /** Host uids for user namespaces, 65,536 a sandbox; nobody else's, /etc/subuid included. */
  subordinateUids: z
    .strictObject({
      from: z.int().min(65_536).default(0x40000000),
      to: z.int().max(0xfffffffe).default(0x7fffffff),
    })
    .prefault({})
    .refine(
      ({ from, to }) => to - from >= uidsPerSandbox - 1,
      `must hold at least ${uidsPerSandbox} uids`,
    ),
  image: z
    .strictObject({
      /** Base for a Dockerfile build (needs a registry); default: a Debian root by mmdebstrap. */
      base: z.string().optional(),
      mirror: z.url().optional(),
    })
    .prefault({}),
  engine: z
    .strictObject({
      socket: z.string().startsWith("/").default("/run/docker.sock"),
      /** How long a sandbox's dockerd may take to answer. */
      startTimeout: duration.default(60_000),
    })
    .prefault({}),
  /** Keys generated ahead; a creation takes one, each bundle another. */
  keyPool: z.int().min(0).max(1000).default(12),
  logLevel: z.enum(["trace", "debug", "info", "warn", "error"]).default("info"),
});

const defaultLimits = { memoryBytes: GiB, cpus: 1.5, pids: 512, diskBytes: 10 * GiB };
const maxLimits = { memoryBytes: 16 * GiB, cpus: 16, pids: 8192, diskBytes: 200 * GiB };

/** Below these a dockerd does not start or no image fits. */
export const minLimits = {
  memoryBytes: 192 * 1024 ** 2,
  cpus: 0.1,
  pids: 64,
  diskBytes: 128 * 1024 ** 2,
};

/** Half of it holds the bridge of all sandboxes. */
const smallestPoolBits = 28;

type Parsed = z.output<typeof schema>;

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
  const config = effective(parseStrictly(schema, value, file, "CONFIG_INVALID"));
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
  const base = mergeLimits(defaultLimits, parsed.limits.default);
  const known = { ...withBuiltIns(parsed.profiles), ...shipped(parsed, base) };
  const profiles = Object.entries(known).map(([name, given]) => ({
    name,
    description: given.description,
    isolation: given.isolation,
    ttlMs: given.ttl ?? parsed.ttl.default,
    limits: mergeLimits(base, given.limits),
    egress: { mode: given.egress, to: given.egressTo },
    devices: given.devices,
    images: given.images,
  }));
  return {
    ...parsed,
    limits: { default: base, max: mergeLimits(maxLimits, parsed.limits.max) },
    profiles,
    groups: groupsOf(parsed.groups),
  };
}

/**
 * Profiles of the exercises, but for those that the operator defines. Each is the profile `default`
 * with at most as much memory: nobody gets by them what the operator has not given to all.
 */
function shipped({ profiles }: Parsed, base: typeof defaultLimits): Parsed["profiles"] {
  const common = profiles["default"] ?? profile.parse({});
  const { memoryBytes: usual } = mergeLimits(base, common.limits);
  return Object.fromEntries(
    Object.entries(exerciseProfiles)
      .filter(([name]) => !(name in profiles))
      .map(([name, { description, exercises, memoryBytes = usual }]) => {
        const limits = { ...common.limits, memory: Math.min(memoryBytes, usual) };
        return [name, { ...common, description, limits, images: exercises }];
      }),
  );
}

/** `base` with what is given put over it. */
export function mergeLimits(base: typeof defaultLimits, given: GivenLimits) {
  return {
    memoryBytes: given.memory ?? base.memoryBytes,
    cpus: given.cpus ?? base.cpus,
    pids: given.pids ?? base.pids,
    diskBytes: given.disk ?? base.diskBytes,
  };
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
