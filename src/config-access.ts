import { z } from "zod";
import { cpus, duration, limitFields, pids, size } from "./lib/contract/sandbox.js";

import type { SandboxLimits } from "./lib/limits.js";
import { suggestion } from "./lib/strict-issues.js";

// Who gets in and what they may have: the parts of the configuration that are about people.

type GivenLimits = z.output<ReturnType<typeof someLimits>>;

const limitTexts = {
  memory: { description: "Main memory." },
  cpus: { description: "Processor cores." },
  pids: { description: "Processes and threads." },
  disk: { description: "Images, volumes and build cache together." },
};

/** Limits of which each may be left out; `otherwise` names the key that counts then. */
export function someLimits(otherwise: string) {
  const { memory, cpus, pids, disk } = limitTexts;
  return z.strictObject({
    memory: limitFields.memory.meta({ ...memory, absent: `${otherwise}.memory`, example: "4G" }),
    cpus: limitFields.cpus.meta({ ...cpus, absent: `${otherwise}.cpus`, example: 2 }),
    pids: limitFields.pids.meta({ ...pids, absent: `${otherwise}.pids`, example: 1024 }),
    disk: limitFields.disk.meta({ ...disk, absent: `${otherwise}.disk`, example: "20G" }),
  });
}

/** All limits, each with what counts when it is left out. */
export function allLimits(usual: { memory: string; cpus: number; pids: number; disk: string }) {
  return z
    .strictObject({
      memory: size.prefault(usual.memory).meta(limitTexts.memory),
      cpus: cpus.prefault(usual.cpus).meta(limitTexts.cpus),
      pids: pids.prefault(usual.pids).meta(limitTexts.pids),
      disk: size.prefault(usual.disk).meta(limitTexts.disk),
    })
    .prefault({});
}

const label = z.string().min(1).max(60);
const loopback = ["localhost", "127.0.0.1", "[::1]"];

/** An address, or a network in CIDR notation. */
export const proxyAddress = z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()]);

/** A group as the provider or the proxy names it: `students`, `/course/db`, `CN=Staff,OU=…`. */
const groupName = z
  .string()
  .min(1)
  .max(128)
  .regex(/^\P{C}+$/u, "must be printable");

/** Both ways of signing in have them. */
const adminGroups = z
  .array(groupName)
  .default([])
  .meta({ description: "Groups whose members are admins.", example: ["berth-admins"] });

/** OpenID Connect Core 1.0; what the operator registered with the provider. */
const oidc = z.strictObject({
  issuer: z
    .url({ protocol: /^https?$/ })
    .refine(
      (text) => text.startsWith("https:") || loopback.includes(new URL(text).hostname),
      "must be https: what the provider says decides who gets in",
    )
    .meta({ description: "The provider.", example: "https://id.example.edu/realms/main" }),
  clientId: z
    .string()
    .min(1)
    .meta({ description: "Berth's name at the provider.", example: "berth" }),
  clientSecretFile: z.string().startsWith("/").optional().meta({
    description: "File with the secret.",
    absent: "a public client, held by PKCE alone",
    example: "/etc/berth/oidc-secret",
  }),
  scopes: z
    .array(z.string().regex(/^[!#-[\]-~]+$/))
    .default(["openid", "profile", "email"])
    .meta({ description: "What is asked for." }),
  usernameClaim: z
    .string()
    .min(1)
    .default("preferred_username")
    .meta({ description: "Claim that names the user; of alice@example.edu, alice." }),
  groupsClaim: z
    .string()
    .min(1)
    .default("groups")
    .meta({ description: "Claim with the user's groups." }),
  adminGroups,
  linkLocalUsers: z.boolean().default(false).meta({
    description:
      "Whether a name from there may be that of a user who has a token, a password or the role admin here.",
  }),
  label: label.default("OpenID Connect").meta({ description: "What the page calls it." }),
});

/** A header's name (RFC 9110, 5.6.2), as Node has them: in small letters. */
const headerName = z
  .string()
  .regex(/^[\w!#$%&'*+.^`|~-]+$/, "must be the name of a header")
  .transform((name) => name.toLowerCase());

/** A reverse proxy that signs people in and names them in a header. */
const proxy = z.strictObject({
  header: headerName.meta({
    description: "Header in which the proxy names the user.",
    example: "Remote-User",
  }),
  groupsHeader: headerName.optional().meta({
    description: "Header with their groups, with commas in between.",
    absent: "no groups",
    example: "Remote-Groups",
  }),
  adminGroups,
  from: z
    .array(proxyAddress)
    .min(1)
    .meta({
      description: "Addresses of the proxy: the header is believed from these alone.",
      example: ["127.0.0.1"],
    }),
  secretFile: z.string().startsWith("/").optional().meta({
    description:
      "File with what the proxy sends as X-Berth-Proxy-Secret; needed where others can connect from its address.",
    absent: "its address is enough",
    example: "/etc/berth/proxy-secret",
  }),
  label: label
    .default("The sign-in before this page")
    .meta({ description: "What the page calls it." }),
});

export const signInSchema = z.strictObject({
  local: z.boolean().default(true).meta({
    description: "Users that Berth knows itself sign in on the page by password or token.",
  }),
  session: duration.prefault("12h").meta({ description: "How long a browser stays signed in." }),
  oidc: oidc.optional().meta({
    description: "The accounts of a university or a company, by OpenID Connect.",
    absent: "off",
  }),
  proxy: proxy.optional().meta({
    description: "A reverse proxy that signs people in and names them in a header.",
    absent: "off",
  }),
});

/** `https://berth.example.edu`: no path, as cookies and page start at the root. */
export const publicUrl = z
  .url({ protocol: /^https?$/ })
  .transform((text) => new URL(text))
  .refine(({ pathname, search }) => pathname === "/" && search === "", "must have no path");

export const groupsSchema = z.record(
  groupName,
  z.strictObject({
    limits: someLimits("limits.max").default({}).meta({
      description: "What they may ask for at most.",
    }),
    ttl: duration.optional().meta({
      description: "How long their sandboxes may live at most.",
      absent: "ttl.max",
      example: "2d",
    }),
    sandboxesPerUser: z.int().min(0).max(1000).optional().meta({
      description: "How many sandboxes each may have at once.",
      absent: "sandboxesPerUser",
      example: 1,
    }),
    profiles: z
      .array(z.string())
      .min(1)
      .optional()
      .meta({
        description: "Profiles that they may use.",
        absent: "all",
        example: ["default", "databases"],
      }),
  }),
);

/** Each group with its name; what it does not say is left out. */
export function groupsOf(given: z.output<typeof groupsSchema>) {
  return Object.entries(given).map(([name, { limits, ttl, sandboxesPerUser, profiles }]) => ({
    name,
    maxLimits: definedLimits(limits),
    maxTtlMs: ttl,
    sandboxesPerUser,
    profiles,
  }));
}

/** Those that are given, under the names of what they come to. */
export function definedLimits({ memory, cpus, pids, disk }: GivenLimits): Partial<SandboxLimits> {
  return {
    ...(memory === undefined ? {} : { memoryBytes: memory }),
    ...(cpus === undefined ? {} : { cpus }),
    ...(pids === undefined ? {} : { pids }),
    ...(disk === undefined ? {} : { diskBytes: disk }),
  };
}

export const limitKeys = ["memoryBytes", "cpus", "pids", "diskBytes"] as const;

/** What of the groups does not go with the rest; undefined for nothing. */
export function findGroupFault(
  groups: ReturnType<typeof groupsOf>,
  profiles: { name: string }[],
  minLimits: SandboxLimits,
): string | undefined {
  const known = profiles.map(({ name }) => name);
  for (const { name, maxLimits, profiles: allowed = [] } of groups) {
    const strange = allowed.find((profile) => !known.includes(profile));
    if (strange !== undefined)
      return `groups.${name}.profiles: there is no profile "${strange}"${suggestion(strange, known)}`;
    for (const key of limitKeys) {
      if ((maxLimits[key] ?? Infinity) < minLimits[key])
        return `group ${name}: its ${key} is below ${minLimits[key]}, with which no engine starts`;
    }
  }
  return undefined;
}
