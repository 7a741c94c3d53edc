import { z } from "zod";
import { limitsShape } from "./sandbox.js";

/** What members of a group may have; what is absent is as for everybody. */
export const group = z
  .object({
    name: z.string(),
    maxLimits: z.object(limitsShape).partial(),
    maxTtlMs: z.int().optional(),
    sandboxesPerUser: z.int().optional(),
    profiles: z.array(z.string()).optional().meta({ description: "Absent: all" }),
    members: z.int().meta({ description: "How many users are in it" }),
  })
  .meta({ id: "Group" });

export const groupList = z.object({ groups: z.array(group) }).meta({ id: "GroupList" });
