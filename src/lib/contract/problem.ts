import { z } from "zod";
import { errorCodes } from "../errors.js";

/** An error answer: RFC 9457 problem details, `application/problem+json`, with our stable code. */
export const problemSchema = z
  .object({
    type: z.string().meta({ description: "urn:berth:error:<code>" }),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.enum(errorCodes),
    errors: z
      .array(z.object({ path: z.string(), message: z.string() }))
      .optional()
      .meta({ description: "Single faults of the request" }),
  })
  .meta({ id: "Problem" });
export type Problem = z.infer<typeof problemSchema>;
