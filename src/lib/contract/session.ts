import { z } from "zod";
import { problemSchema } from "./problem.js";
import { userName } from "./sandbox.js";
import { roles } from "./user.js";

export const signInKinds = ["password", "oidc", "proxy"] as const;

/** A way to sign in that the operator's configuration allows. */
export const signInMethod = z
  .object({
    kind: z.enum(signInKinds).meta({
      description:
        "password: by POST /v1/session, with a token instead of a password as well; oidc: by going to url; proxy: by coming through the operator's own sign-in",
    }),
    label: z.string().meta({ description: "For people", example: "University account" }),
    url: z.string().optional().meta({ description: "Where the browser goes to sign in" }),
  })
  .meta({ id: "SignInMethod" });
export type SignInMethod = z.infer<typeof signInMethod>;

/** Whether the browser is signed in, and how it could. */
export const session = z
  .object({
    signedIn: z.boolean(),
    user: userName.optional(),
    role: z.enum(roles).optional(),
    methods: z.array(signInMethod),
    problem: problemSchema
      .pick({ title: true, detail: true, code: true })
      .optional()
      .meta({ description: "Why the last sign-in by a provider failed; told once" }),
  })
  .meta({ id: "Session" });
export type Session = z.infer<typeof session>;

/** Longer than any password or token of ours; the rest is not hashed. */
const secret = z.string().min(1).max(1024);

/** What a person typed: any text may be wrong, and none is told from another before it is looked at. */
export const signInRequest = z
  .union([
    z.strictObject({ user: z.string().max(256), password: secret }),
    z.strictObject({ token: secret }),
  ])
  .meta({ id: "SignInRequest" });
export type SignInRequest = z.infer<typeof signInRequest>;
