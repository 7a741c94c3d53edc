import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll } from "vitest";
import type { BundleInput } from "../../../src/lib/model.js";

const made: string[] = [];
afterAll(() => Promise.all(made.map((path) => rm(path, { recursive: true, force: true }))));

export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "berth-test-"));
  made.push(directory);
  return directory;
}

export const now = new Date("2026-03-01T12:00:00Z");

/** A bundle's input with certificates that only look like some. */
export function input(changes: Partial<BundleInput> = {}): BundleInput {
  return {
    id: "a1b2c3d4",
    user: "ann",
    name: "default",
    profile: "small",
    isolation: "privileged",
    dockerHost: "tcp://build.example.org:22001",
    publicHost: "build.example.org",
    ports: { from: 21000, to: 21009 },
    expiresAt: new Date("2026-03-03T12:00:00Z"),
    caPem: "the CA certificate\n",
    client: {
      certPem: "the certificate\n",
      keyPem: "the key\n",
      expiresAt: new Date("2026-03-02T12:00:00Z"),
    },
    ...changes,
  };
}

/** Whether a program is on PATH and works. */
export async function has(program: string, ...args: string[]): Promise<boolean> {
  return !(await execa(program, args, { reject: false })).failed;
}
