import { z } from "zod";
import { profile } from "./host.js";
import { limitsShape, userName } from "./sandbox.js";

export const roles = ["user", "admin"] as const;
export type Role = (typeof roles)[number];

export const user = z
  .object({
    name: userName,
    role: z.enum(roles),
    groups: z.array(z.string()).meta({
      description: "Of the configuration; by an admin's word, or by that of who signed them in",
    }),
    createdAt: z.iso.datetime(),
    hasToken: z.boolean().meta({ description: "Whether they have a token for API and CLI" }),
    hasPassword: z.boolean().meta({ description: "Whether they can sign in by a password" }),
    lastSeenAt: z.iso.datetime().optional().meta({
      description: "When they last asked for something, to the minute; absent for never",
    }),
  })
  .meta({ id: "User" });
export type User = z.infer<typeof user>;

export const userList = z.object({ users: z.array(user) }).meta({ id: "UserList" });

/** Composed and decomposed letters are one: the same password may come as either (NIST SP 800-63B, 3.1.1.2). */
export const password = z
  .string()
  .min(10, "must have at least 10 characters")
  .max(256, "must have at most 256 characters")
  .meta({ description: "A password, 10 to 256 characters", format: "password" });

const groups = z.array(z.string().min(1).max(128)).max(100);

export const addUserRequest = z
  .strictObject({
    name: userName,
    role: z.enum(roles).optional(),
    password: password.optional(),
    groups: groups.optional(),
  })
  .meta({ id: "AddUserRequest" });

export const changeUserRequest = z
  .strictObject({
    role: z.enum(roles).optional(),
    groups: groups.optional().meta({
      description: "All that they are to be in by an admin's word; those of the provider stay",
    }),
  })
  .refine(
    (change) => Object.values(change).some((one) => one !== undefined),
    "changes nothing; give role or groups",
  )
  .meta({ id: "ChangeUserRequest", minProperties: 1 });

export const setPasswordRequest = z
  .strictObject({
    password,
    current: z.string().max(1024).optional().meta({
      description: "The password until now; users must give it, admins need not",
    }),
  })
  .meta({ id: "SetPasswordRequest" });

/** The only answer that ever carries a token. */
export const addedUser = user
  .extend({ token: z.string().meta({ description: "Shown once; only its hash is kept" }) })
  .meta({ id: "AddedUser" });
export type AddedUser = z.infer<typeof addedUser>;

export const removedUser = z
  .object({ name: userName, removedSandboxes: z.array(z.string()) })
  .meta({ id: "RemovedUser" });

/** Who the caller is and what they may ask for; the page and the CLI build their forms from it. */
export const me = z
  .object({
    user: userName.optional().meta({ description: "Absent for root over the socket" }),
    role: z.enum(roles),
    groups: z.array(z.string()).optional().meta({
      description: "Yours; what you may have below is what they bring",
    }),
    sandboxesPerUser: z.int(),
    ttl: z.object({ defaultMs: z.int(), maxMs: z.int() }),
    profiles: z.array(profile),
    maxLimits: z.object(limitsShape),
  })
  .meta({ id: "Me" });
export type Me = z.infer<typeof me>;
