import { z } from "zod";
import { isolations } from "../model.js";
import { limitsShape, sandboxId, sandboxName, sandboxStates, userName } from "./sandbox.js";

// What admins are told of the whole host.

const bytes = z.object({
  totalBytes: z.int(),
  usedBytes: z.int(),
  promisedBytes: z.int().meta({ description: "The limits of all sandboxes together" }),
});

export const host = z
  .object({
    at: z.iso.datetime(),
    memory: bytes,
    cpu: z.object({
      cores: z.int(),
      usedCores: z.number().meta({ description: "In the last seconds" }),
      promisedCores: z.number(),
    }),
    disk: bytes.meta({ description: "The file system that holds the sandboxes' disks" }),
    sandboxes: z.int(),
    states: z.record(z.enum(sandboxStates), z.int()),
    users: z.int(),
    version: z.string(),
  })
  .meta({ id: "Host" });
export type Host = z.infer<typeof host>;

/** Something that happened to some sandbox. */
export const hostEvent = z
  .object({
    at: z.iso.datetime(),
    type: z.enum(["state", "step", "incident"]).meta({
      description: "step: only those that failed",
    }),
    sandbox: sandboxId,
    user: userName.optional(),
    name: sandboxName.optional(),
    text: z.string().meta({ description: "For people" }),
    data: z
      .record(z.string(), z.unknown())
      .meta({ description: "A StateEvent, StepEvent or IncidentEvent" }),
  })
  .meta({ id: "HostEvent" });
export type HostEvent = z.infer<typeof hostEvent>;

export const hostEventList = z.object({ events: z.array(hostEvent) }).meta({ id: "HostEventList" });

/** A profile, as it is told to those who may have it. */
export const profile = z
  .object({
    name: z.string(),
    description: z.string(),
    isolation: z.enum(isolations),
    ttlMs: z.int(),
    limits: z.object(limitsShape),
    images: z.array(z.string()).meta({ description: "What its sandboxes have from the start" }),
    ready: z.boolean().meta({
      description:
        "false: its images are not built yet, and a creation fails (IMAGE_MISSING); berth image build NAME",
    }),
  })
  .meta({ id: "Profile" });

export const profileList = z.object({ profiles: z.array(profile) }).meta({ id: "ProfileList" });

/** An image that is being built, by a process of its own. */
export const imageBuild = z
  .object({
    profile: z.string().optional().meta({
      description: "Whose images; absent for the image that all sandboxes start from",
    }),
    phase: z.string().meta({ example: "collect" }),
    message: z.string().meta({ description: "For people" }),
    startedAt: z.iso.datetime(),
    image: z.string().optional().meta({ description: "The one that is on its way" }),
    bytes: z
      .number()
      .optional()
      .meta({ description: "Moved so far, of the image if there is one" }),
    totalBytes: z.number().optional(),
    secondsLeft: z.number().optional(),
  })
  .meta({ id: "ImageBuild" });
export type ImageBuild = z.infer<typeof imageBuild>;

export const imageList = z
  .object({
    images: z.array(
      z.object({
        // Empty for one whose tag a rebuild took; then `id` names it.
        tag: z.string(),
        id: z.string(),
        sizeBytes: z.int(),
        createdAt: z.iso.datetime(),
        current: z.boolean().meta({ description: "New sandboxes start from it" }),
        // A container, running or not, was made from it.
        inUse: z.boolean(),
        images: z.array(z.string()).meta({ description: "What it preloads" }),
      }),
    ),
    building: z.array(imageBuild).meta({ description: "Builds under way, as of the last second" }),
  })
  .meta({ id: "ImageList" });
