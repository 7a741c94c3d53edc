import { z } from "zod";

/** What a look at how a sandbox is held found. */
export const verification = z
  .object({
    ok: z.boolean().meta({ description: "Whether every check is" }),
    checks: z.array(
      z.object({
        name: z.string().meta({ example: "uid map" }),
        seenFrom: z.enum(["host", "inside"]).meta({
          description:
            "host: the kernel's own state; inside: a container in the sandbox, whose root could forge it",
        }),
        ok: z.boolean(),
        detail: z.string().meta({ example: "0 1073741824 65536" }),
      }),
    ),
  })
  .meta({ id: "Verification" });
export type Verification = z.infer<typeof verification>;
