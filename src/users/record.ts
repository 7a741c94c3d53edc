import { randomBytes } from "node:crypto";
import { z } from "zod";
import { userName } from "../lib/contract/sandbox.js";
import { roles, type User } from "../lib/contract/user.js";

/** What Berth knows of a user: `<dir>/<name>.json`. */
export const userRecord = z.strictObject({
  name: userName,
  role: z.enum(roles),
  createdAt: z.iso.datetime(),
  token: z.strictObject({ id: z.string(), salt: z.string(), hash: z.string() }).optional(),
  password: z.strictObject({ salt: z.string(), hash: z.string() }).optional(),
  /** Stands in every session of the user's; another one ends them all. */
  epoch: z.string().optional(),
});
export type UserRecord = z.infer<typeof userRecord>;

export const newEpoch = (): string => randomBytes(9).toString("base64url");

/** Records of before there were sessions have none. */
export const epochOf = ({ epoch, createdAt }: UserRecord): string => epoch ?? createdAt;

/** What may be told of a user: no hash, no epoch. */
export function publicView(user: UserRecord, lastSeenAt: string | undefined): User {
  return {
    name: user.name,
    role: user.role,
    createdAt: user.createdAt,
    hasToken: user.token !== undefined,
    hasPassword: user.password !== undefined,
    ...(lastSeenAt === undefined ? {} : { lastSeenAt }),
  };
}
