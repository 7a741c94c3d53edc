import type { Request, Response } from "express";
import { ZipFile } from "yazl";
import type { components } from "../../src/lib/api/schema.js";
import type { Sandbox } from "../../src/lib/contract/sandbox.js";

// What the page's fake API answers where nothing of it changes.

export const hourMs = 3_600_000;
export const limits = { memoryBytes: 2 ** 30, cpus: 1.5, pids: 512, diskBytes: 10 * 2 ** 30 };
export const maxLimits = {
  memoryBytes: 4 * 2 ** 30,
  cpus: 4,
  pids: 4096,
  diskBytes: 40 * 2 ** 30,
};

type Schemas = components["schemas"];

const profile = (
  name: string,
  description: string,
  more: Partial<Schemas["Profile"]> = {},
): Schemas["Profile"] => ({
  name,
  description,
  isolation: "userns",
  ttlMs: 24 * hourMs,
  limits,
  images: [],
  ready: true,
  ...more,
});

export const profiles = [
  profile("python", "Python 3 with numpy and Jupyter.", { images: ["python:3"] }),
  profile("empty", "Nothing but the Docker Engine."),
  profile("kernel", "For work on kernel modules.", { isolation: "privileged" }),
  profile("databases", "For the course.", { images: ["postgres:17"], ready: false }),
];

export const meOf = (caller: { user?: string; role: string }) => ({
  ...caller,
  groups: [],
  sandboxesPerUser: 3,
  ttl: { defaultMs: 24 * hourMs, maxMs: 48 * hourMs },
  profiles,
  maxLimits,
});

export const usageOf = ({ limits: { memoryBytes, cpus, pids, diskBytes } }: Sandbox) => ({
  at: new Date().toISOString(),
  memory: { usedBytes: 0.3 * memoryBytes, limitBytes: memoryBytes, kills: 0 },
  cpu: { usedSeconds: (Date.now() / 1000) * 0.42, limitCpus: cpus, throttledPercent: 0 },
  pids: { used: 87, limit: pids, limitHits: 0 },
  disk: {
    usedBytes: 0.94 * diskBytes,
    limitBytes: diskBytes,
    freeBytes: 0.03 * diskBytes,
    freeInodes: 9000,
  },
  pressure: {
    cpu: { somePercent: 3, fullPercent: 0 },
    memory: { somePercent: 12.4, fullPercent: 2 },
    io: { somePercent: 0.4, fullPercent: 0 },
  },
});

/** Ten minutes that look like work. */
export function historyOf({ limits: { memoryBytes, cpus, diskBytes } }: Sandbox) {
  const intervalMs = 5000;
  const samples = Array.from({ length: 120 }, (_, i) => ({
    at: new Date(Date.now() - (120 - i) * intervalMs).toISOString(),
    memoryBytes: memoryBytes * (0.2 + 0.1 * Math.sin(i / 9) + (i > 70 ? 0.08 : 0)),
    cpuCores: cpus * Math.max(0.05, 0.45 * Math.sin(i / 5) * Math.sin(i / 23)),
    pids: 60 + Math.round(20 * Math.sin(i / 15)),
    diskBytes: diskBytes * (0.6 + i * 0.0028),
  }));
  return { intervalMs, samples };
}

export const containersOf = ({ ports }: Sandbox) => ({
  containers: [
    {
      name: "web",
      image: "nginx:1.27",
      state: "running",
      ports: [{ hostPort: ports.from, containerPort: 80, protocol: "tcp" }],
    },
    { name: "<b>db</b>", image: "postgres:17", state: "exited", ports: [] },
  ],
});

export const verification = {
  ok: true,
  checks: [
    { name: "uid map", seenFrom: "host", ok: true, detail: "0 1073741824 65536" },
    { name: "read-only /sys", seenFrom: "inside", ok: true, detail: "EROFS" },
  ],
};

export const host = {
  memory: { totalBytes: 24 * 2 ** 30, usedBytes: 9.2 * 2 ** 30, promisedBytes: 41 * 2 ** 30 },
  cpu: { cores: 8, usedCores: 2.31, promisedCores: 6 },
  disk: { totalBytes: 500 * 2 ** 30, usedBytes: 120 * 2 ** 30, promisedBytes: 410 * 2 ** 30 },
  sandboxes: 41,
  users: 37,
  version: "0.1.0",
};

export const groups: Schemas["Group"][] = [
  {
    name: "course-101",
    maxLimits: { memoryBytes: 2 ** 30, cpus: 1 },
    sandboxesPerUser: 1,
    members: 1,
  },
  { name: "staff", maxLimits: {}, maxTtlMs: 168 * hourMs, members: 0 },
];

export const images: Schemas["ImageList"] = {
  images: [
    {
      tag: "berth/dind:3f9a",
      id: "sha256:3f9a",
      sizeBytes: 402e6,
      createdAt: new Date().toISOString(),
      current: true,
      inUse: true,
      images: ["python:3"],
    },
  ],
  building: [
    {
      profile: "databases",
      phase: "collect",
      message: "sending postgres:17",
      image: "postgres:17",
      startedAt: new Date().toISOString(),
      bytes: 124e6,
      totalBytes: 200e6,
      secondsLeft: 12,
    },
  ],
};

export async function sendBundle(_request: Request, response: Response): Promise<void> {
  const zip = new ZipFile();
  for (const name of ["ca.pem", "env.sh", "berth.dockercontext"]) {
    zip.addBuffer(Buffer.from(`${name}\n`), name);
  }
  zip.end();
  response.type("application/zip");
  for await (const chunk of zip.outputStream) response.write(chunk);
  response.end();
}

export function sendProblem(
  response: Response,
  status: number,
  code: string,
  detail: string,
  errors?: { path: string; message: string }[],
): void {
  const title = code.toLowerCase().replaceAll("_", " ");
  const problem = { type: `urn:berth:error:${code}`, title, status, detail, code, errors };
  response.status(status).type("application/problem+json").send(JSON.stringify(problem));
}
