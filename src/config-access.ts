import { z } from "zod";
import { duration, limitFields } from "./lib/contract/sandbox.js";

import type { SandboxLimits } from "./lib/limits.js";
import { suggestion } from "./lib/strict-issues.js";

// Who gets in and what they may have: the parts of the configuration that are about people.

export const limits = z.strictObject(limitFields);
export type GivenLimits = z.output<typeof limits>;

const hour = 3_600_000;

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

/** OpenID Connect Core 1.0; what the operator registered with the provider. */
const oidc = z.strictObject({
  issuer: z
    .url({ protocol: /^https?$/ })
    .refine(
      (text) => text.startsWith("https:") || loopback.includes(new URL(text).hostname),
      "must be https: what the provider says decides who gets in",
    ),
  clientId: z.string().min(1),
  /** Without it a public client, held by PKCE alone. */
  clientSecretFile: z.string().startsWith("/").optional(),
  scopes: z.array(z.string().regex(/^[!#-[\]-~]+$/)).default(["openid", "profile", "email"]),
  /** Which claim names the user; of `alice@example.edu`, `alice`. */
  usernameClaim: z.string().min(1).default("preferred_username"),
  groupsClaim: z.string().min(1).default("groups"),
  /** Members of these are admins. */
  adminGroups: z.array(groupName).default([]),
  /** Whether somebody may sign in as a user of the same name who has a token or a password of Berth's. */
  linkLocalUsers: z.boolean().default(false),
  label: label.default("OpenID Connect"),
});

/** A header's name (RFC 9110, 5.6.2), as Node has them: in small letters. */
const headerName = z
  .string()
  .regex(/^[\w!#$%&'*+.^`|~-]+$/, "must be the name of a header")
  .transform((name) => name.toLowerCase());

/** A reverse proxy that signs people in and names them in a header. */
const proxy = z.strictObject({
  header: headerName,
  /** Names of groups, with commas in between. */
  groupsHeader: headerName.optional(),
  adminGroups: z.array(groupName).default([]),
  /** Addresses of the proxy: the header is believed from these alone. */
  from: z.array(proxyAddress).min(1),
  /** Holds what the proxy sends in X-Berth-Proxy-Secret; needed where others may connect from there. */
  secretFile: z.string().startsWith("/").optional(),
  label: label.default("The sign-in before this page"),
});

export const signInSchema = z.strictObject({
  /** Users that Berth knows itself sign in on the page by password or token. */
  local: z.boolean().default(true),
  oidc: oidc.optional(),
  proxy: proxy.optional(),
  /** How long a browser stays signed in. */
  session: duration.default(12 * hour),
});

/** `https://berth.example.edu`: no path, as cookies and page start at the root. */
export const publicUrl = z
  .url({ protocol: /^https?$/ })
  .transform((text) => new URL(text))
  .refine(({ pathname, search }) => pathname === "/" && search === "", "must have no path");

export const groupsSchema = z.record(
  groupName,
  z.strictObject({
    limits: limits.default({}),
    ttl: duration.optional(),
    sandboxesPerUser: z.int().min(0).max(1000).optional(),
    profiles: z.array(z.string()).min(1).optional(),
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
function definedLimits({ memory, cpus, pids, disk }: GivenLimits): Partial<SandboxLimits> {
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
