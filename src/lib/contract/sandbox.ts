import { z } from "zod";
import { isolations } from "../model.js";
import { parseDuration, parseSize } from "../units.js";
import { problemSchema } from "./problem.js";

// What the API takes and gives, read by the server (to check), the CLI (to read answers back) and
// the OpenAPI document (to tell others).

export const userName = z
  .string()
  .regex(
    /^[a-z][a-z0-9_.-]{0,31}$/,
    "must be 1 to 32 characters: a lower-case letter first, then lower-case letters, digits, _ . or -",
  )
  .meta({ description: "A user's name", example: "alice" });

export const sandboxName = z
  .string()
  .regex(
    /^[a-z][a-z0-9-]{0,31}$/,
    "must be 1 to 32 characters: a lower-case letter first, then lower-case letters, digits or -",
  )
  .meta({ description: "A sandbox's name, unique per user", example: "default" });

export const sandboxId = z
  .string()
  .regex(/^[a-z][a-z0-9]{7}$/, "must be 8 lower-case letters and digits, a letter first")
  .meta({ description: "A sandbox's id", example: "k3x9f2ab" });

/** `1G`, `512M` or a number of bytes; comes out as bytes. */
export const size = z
  .union([z.string(), z.number().int().positive()])
  .transform((value, context) => {
    const bytes = typeof value === "number" ? value : parseSize(value);
    if (bytes !== undefined) return bytes;
    context.addIssue(`"${String(value)}" is no size; write it like 512M, 1.5G or 10G`);
    return z.NEVER;
  })
  .meta({ description: "A size: 512M, 1.5G (powers of 1024) or a number of bytes" });

/** `90s`, `30m`, `2h`, `1d`, `1h30m`; comes out as milliseconds. */
export const duration = z
  .string()
  .transform((value, context) => {
    const ms = parseDuration(value);
    if (ms !== undefined && ms > 0) return ms;
    context.addIssue(`"${value}" is no duration; write it like 30m, 2h, 1h30m or 1d`);
    return z.NEVER;
  })
  .meta({ description: "A duration: 30m, 2h, 1h30m, 1d", example: "2h" });

/** Cores, as a number or as digits; two decimals count. */
export const cpus = z
  .union([z.number(), z.string().regex(/^\d+(\.\d+)?$/, "must be a number of cores, such as 1.5")])
  .transform(Number)
  .pipe(z.number().positive().max(4096))
  .meta({ description: "Processor cores; 1.5 is one and a half" });

export const pids = z
  .union([z.number(), z.string().regex(/^\d+$/, "must be a whole number of processes")])
  .transform(Number)
  .pipe(z.number().int().positive().max(4_194_304))
  .meta({ description: "Processes and threads" });

export const limitFields = {
  memory: size.optional(),
  cpus: cpus.optional(),
  pids: pids.optional(),
  disk: size.optional(),
};

export const createRequest = z
  .strictObject({
    user: userName.optional().meta({
      description: "Whose sandbox it becomes; by default the caller's. Only admins name others.",
    }),
    name: sandboxName.optional(),
    profile: z.string().max(64).optional(),
    ttl: duration.optional(),
    ...limitFields,
  })
  .meta({ id: "CreateRequest" });
export type CreateRequest = z.infer<typeof createRequest>;

export const extendRequest = z
  .strictObject({ ttl: duration.meta({ description: "Time to add to the sandbox's end" }) })
  .meta({ id: "ExtendRequest" });

export const resizeRequest = z
  .strictObject(limitFields)
  .refine(
    (limits) => Object.values(limits).some((limit) => limit !== undefined),
    "names no limit; give at least one of memory, cpus, pids and disk",
  )
  .meta({ id: "ResizeRequest", minProperties: 1 });
export type ResizeRequest = z.infer<typeof resizeRequest>;

export const sandboxStates = ["creating", "ready", "stopped", "removing", "failed"] as const;
export type SandboxState = (typeof sandboxStates)[number];

/** Limits as they are told and stored: bytes, cores and counts. */
export const limitsShape = {
  memoryBytes: z.int(),
  cpus: z.number(),
  pids: z.int(),
  diskBytes: z.int(),
};

export const incidentKinds = ["memory", "disk", "pids", "cpu"] as const;

/** Something that a limit did to the sandbox's processes, in its user's terms. */
export const incident = z
  .object({
    kind: z.enum(incidentKinds),
    text: z.string().meta({
      description: "What happened, and the way out where there is one",
      example:
        "postgres was killed at 1.0 of 1.0 GiB memory; for more: berth resize alice/lab --memory 2G",
    }),
    at: z.iso.datetime().meta({ description: "When it happened last" }),
    count: z.int().positive().meta({ description: "How often it happened, without a long pause" }),
  })
  .meta({ id: "Incident" });
export type Incident = z.infer<typeof incident>;

export const sandbox = z
  .object({
    id: sandboxId,
    user: userName,
    name: sandboxName,
    profile: z.string(),
    isolation: z.enum(isolations),
    state: z.enum(sandboxStates),
    reason: z.string().optional().meta({ description: "Why the state is stopped or failed" }),
    warning: z
      .string()
      .optional()
      .meta({ description: "What the user and the operator must know of this isolation" }),
    createdAt: z.iso.datetime(),
    expiresAt: z.iso.datetime(),
    maxTtlMs: z
      .int()
      .optional()
      .meta({ description: "How far from now `extend` may bring its end, for this user" }),
    dockerHost: z.string().meta({ description: "tcp:// address for DOCKER_HOST" }),
    ports: z
      .object({ from: z.int(), to: z.int() })
      .meta({ description: "Published ports: docker run -p <one of these>:80 is reachable here" }),
    limits: z.object(limitsShape),
    slice: z.string(),
    incidents: z.array(incident).meta({ description: "The latest 20, newest last" }),
  })
  .meta({ id: "Sandbox" });
export type Sandbox = z.infer<typeof sandbox>;

const stall = z.object({
  somePercent: z.number().meta({ description: "At least one process waited" }),
  fullPercent: z.number().meta({ description: "All waited that had something to do" }),
});

export const usage = z
  .object({
    at: z.iso.datetime(),
    memory: z.object({
      usedBytes: z.int(),
      limitBytes: z.int(),
      kills: z.int().meta({ description: "Processes killed for want of memory since the start" }),
    }),
    cpu: z.object({
      usedSeconds: z.number().meta({ description: "Processor time since the sandbox started" }),
      limitCpus: z.number(),
      throttledPercent: z
        .number()
        .meta({ description: "Of the last minute, how long it had to wait for its CPU limit" }),
    }),
    pids: z.object({
      used: z.int(),
      limit: z.int(),
      limitHits: z.int().meta({ description: "Times the limit was seen reached since the start" }),
    }),
    disk: z.object({
      usedBytes: z.int().meta({ description: "Used of the sandbox's file system, as df shows it" }),
      limitBytes: z.int().meta({
        description: "The disk's size; the file system keeps a part for itself, see freeBytes",
      }),
      freeBytes: z.int(),
      freeInodes: z.int().meta({ description: "How many more files fit" }),
    }),
    pressure: z.object({ cpu: stall, memory: stall, io: stall }).optional().meta({
      description:
        "For how much of the last minute its processes waited for each; on hosts with cgroup v2 only",
    }),
  })
  .meta({ id: "Usage" });
export type Usage = z.infer<typeof usage>;

export const sandboxList = z
  .object({
    sandboxes: z.array(
      sandbox.extend({
        usage: usage.optional().meta({
          description: "With usage=true: what the last look at it saw, some seconds old",
        }),
      }),
    ),
  })
  .meta({ id: "SandboxList" });

/** Steps of a creation, in order; each is an event when it starts and when it ends. */
export const steps = [
  "slice",
  "certificates",
  "disk",
  "preload",
  "network",
  "container",
  "start",
  "door",
  "ready",
  "check",
] as const;
export type Step = (typeof steps)[number];

/** `event: step` on the events stream. */
export const stepEvent = z
  .object({
    step: z.enum(steps),
    status: z.enum(["started", "done", "failed"]),
    ms: z.number().optional().meta({ description: "How long the step took, when it ended" }),
    at: z.iso.datetime(),
  })
  .meta({ id: "StepEvent" });
export type StepEvent = z.infer<typeof stepEvent>;

/** `event: state` on the events stream; `problem` when the state is failed. */
export const stateEvent = z
  .object({
    state: z.union([z.enum(sandboxStates), z.literal("removed")]),
    ms: z.number().optional().meta({ description: "Since the request, when the creation ended" }),
    expiresAt: z.iso.datetime().optional(),
    reason: z.string().optional(),
    problem: problemSchema.pick({ code: true, detail: true }).optional(),
    at: z.iso.datetime(),
  })
  .meta({ id: "StateEvent" });
export type StateEvent = z.infer<typeof stateEvent>;

/** `event: incident` on the events stream, when it happens first; repeats only raise the count. */
export const incidentEvent = incident.extend({}).meta({ id: "IncidentEvent" });
export type IncidentEvent = z.infer<typeof incidentEvent>;

export const reapRequest = z
  .strictObject({ dryRun: z.boolean().optional() })
  .meta({ id: "ReapRequest" });

/** One thing that reap or reconcile did, or would do. */
export const reapAction = z
  .object({
    act: z.string().meta({ example: "remove sandbox" }),
    thing: z.string().meta({ example: "k3x9f2ab (alice/default)" }),
    why: z.string().meta({ example: "expired 3m ago" }),
    error: z.string().optional().meta({ description: "Set when it could not be done" }),
  })
  .meta({ id: "ReapAction" });
export type ReapAction = z.infer<typeof reapAction>;

export const reapResult = z
  .object({ dryRun: z.boolean(), actions: z.array(reapAction) })
  .meta({ id: "ReapResult" });
export type ReapResult = z.infer<typeof reapResult>;
