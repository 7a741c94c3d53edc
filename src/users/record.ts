import { randomBytes } from "node:crypto";
import { z } from "zod";
import { userName } from "../lib/contract/sandbox.js";
import { roles, type Role, type User } from "../lib/contract/user.js";
import { currentVersion, type History } from "../lib/record-versions.js";

const told = { groups: z.array(z.string()), isAdmin: z.boolean() };

/** What a user's record has looked like so far. */
export const userHistory: History = {
  oldest: 0,
  migrations: [
    // Version 0 does not say so. At first it had neither password nor epoch nor groups; later writers did.
    (record) => ({ groups: [], ...record }),
  ],
};
export const userVersion = currentVersion(userHistory);

/** What Berth knows of a user: `<dir>/<name>.json`. */
export const userRecord = z.strictObject({
  version: z.literal(userVersion),
  name: userName,
  role: z.enum(roles),
  createdAt: z.iso.datetime(),
  token: z.strictObject({ id: z.string(), salt: z.string(), hash: z.string() }).optional(),
  password: z.strictObject({ salt: z.string(), hash: z.string() }).optional(),
  /** Groups that an admin has put them in. */
  groups: z.array(z.string()),
  /** Who they are to the provider of OpenID Connect, and what it said when they signed in last. */
  oidc: z.strictObject({ issuer: z.string(), subject: z.string(), ...told }).optional(),
  /** What the operator's proxy said of them last. */
  proxy: z.strictObject(told).optional(),
  /** Stands in every session of the user's; another one ends them all. */
  epoch: z.string().optional(),
});
export type UserRecord = z.infer<typeof userRecord>;

export const newEpoch = (): string => randomBytes(9).toString("base64url");

/** Records of before there were sessions have none. */
export const epochOf = ({ epoch, createdAt }: UserRecord): string => epoch ?? createdAt;

/** What is theirs by an admin's word here, or by that of who signed them in. */
export const groupsOf = ({ groups, oidc, proxy }: UserRecord): string[] =>
  [...new Set([...groups, ...(oidc?.groups ?? []), ...(proxy?.groups ?? [])])].sort();

const roleOf = ({ role, oidc, proxy }: UserRecord): Role =>
  oidc?.isAdmin || proxy?.isAdmin ? "admin" : role;

/** What may be told of a user: no hash, no epoch. */
export function publicView(user: UserRecord, lastSeenAt: string | undefined): User {
  return {
    name: user.name,
    role: roleOf(user),
    groups: groupsOf(user),
    createdAt: user.createdAt,
    hasToken: user.token !== undefined,
    hasPassword: user.password !== undefined,
    ...(lastSeenAt === undefined ? {} : { lastSeenAt }),
  };
}

/** Ways in whose word still counts: what the configuration has of them. */
export interface Ways {
  oidc?: { issuer: string; adminGroups: string[] } | undefined;
  proxy?: { adminGroups: string[] } | undefined;
}

/**
 * The record without what was told by ways that the configuration does not have any more: whoever was
 * an admin by their word only is none by a token that is left.
 */
export function withoutFormer(user: UserRecord, { oidc, proxy }: Ways): UserRecord {
  const provider = user.oidc?.issuer === oidc?.issuer ? oidc : undefined;
  return {
    ...user,
    ...(user.oidc ? { oidc: { ...user.oidc, ...stillTold(user.oidc, provider) } } : {}),
    ...(user.proxy ? { proxy: stillTold(user.proxy, proxy) } : {}),
  };
}

function stillTold(
  { groups, isAdmin }: { groups: string[]; isAdmin: boolean },
  way: { adminGroups: string[] } | undefined,
): { groups: string[]; isAdmin: boolean } {
  return { groups: way ? groups : [], isAdmin: isAdmin && (way?.adminGroups.length ?? 0) > 0 };
}
