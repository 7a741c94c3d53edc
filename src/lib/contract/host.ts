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

export const profile = z
  .object({
    name: z.string(),
    description: z.string(),
    isolation: z.enum(isolations),
    ttlMs: z.int(),
    limits: z.object(limitsShape),
    images: z.array(z.string()).meta({ description: "What its sandboxes have from the start" }),
  })
  .meta({ id: "Profile" });

export const profileList = z.object({ profiles: z.array(profile) }).meta({ id: "ProfileList" });

export const imageList = z
  .object({
    images: z.array(
      z.object({
        tag: z.string(),
        id: z.string(),
        sizeBytes: z.int(),
        createdAt: z.iso.datetime(),
        current: z.boolean().meta({ description: "New sandboxes start from it" }),
        inUse: z.boolean(),
        images: z.array(z.string()).meta({ description: "What it preloads" }),
      }),
    ),
  })
  .meta({ id: "ImageList" });
