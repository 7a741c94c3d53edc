import { z } from "zod";

// What can be seen of one sandbox beside its own JSON.

const reading = z.number().optional();

export const usageHistory = z
  .object({
    intervalMs: z.int().meta({ description: "How long one sample is after another" }),
    samples: z
      .array(
        z.object({
          at: z.iso.datetime(),
          memoryBytes: reading,
          cpuCores: reading.meta({ description: "Used since the sample before, on average" }),
          pids: reading,
          diskBytes: reading,
        }),
      )
      .meta({
        description: "Oldest first, ten minutes at most; what could not be read is left out",
      }),
  })
  .meta({ id: "UsageHistory" });
export type UsageHistory = z.infer<typeof usageHistory>;

export const innerContainer = z
  .object({
    name: z.string(),
    image: z.string(),
    state: z.string().meta({ example: "running" }),
    ports: z.array(
      z.object({
        containerPort: z.int(),
        hostPort: z.int().optional().meta({
          description: "The sandbox's port that leads to it; absent when it is not published",
        }),
        protocol: z.string().meta({ example: "tcp" }),
      }),
    ),
  })
  .meta({ id: "Container" });
export type InnerContainer = z.infer<typeof innerContainer>;

export const containerList = z
  .object({
    containers: z.array(innerContainer).meta({
      description: "Those that run now, 100 at most, by the word of the sandbox's engine",
    }),
  })
  .meta({ id: "ContainerList" });

export const certificateList = z
  .object({
    certificates: z
      .array(z.object({ issuedAt: z.iso.datetime(), expiresAt: z.iso.datetime() }))
      .meta({
        description:
          "Client certificates of its bundles that are still good, newest first; the last twenty",
      }),
  })
  .meta({ id: "CertificateList" });
export type CertificateList = z.infer<typeof certificateList>;
