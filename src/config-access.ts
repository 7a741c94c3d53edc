import { z } from "zod";
import { duration } from "./lib/contract/sandbox.js";

// Who gets in: the parts of the configuration that are about people.

const hour = 3_600_000;

export const signInSchema = z.strictObject({
  /** Users that Berth knows itself sign in on the page by password or token. */
  local: z.boolean().default(true),
  /** How long a browser stays signed in. */
  session: duration.default(12 * hour),
});

/** `https://berth.example.edu`: no path, as cookies and page start at the root. */
export const publicUrl = z
  .url({ protocol: /^https?$/ })
  .transform((text) => new URL(text))
  .refine(({ pathname, search }) => pathname === "/" && search === "", "must have no path");
