import { describe, expect, it } from "vitest";
import { textOf, type Audience, type Sighting } from "../../../src/provisioner/sightings.js";

const GiB = 1024 ** 3;
const limits = { memoryBytes: GiB, cpus: 1.5, pids: 512, diskBytes: 10 * GiB };
const audience: Audience = {
  user: "alice",
  name: "lab",
  limits,
  userLimits: { memoryBytes: 3 * GiB, cpus: 3, pids: 1024 },
  maxLimits: { memoryBytes: 64 * GiB, cpus: 16, pids: 9999, diskBytes: 100 * GiB },
};
const kill = (limit: (Sighting & { kind: "memory" })["limit"], task?: string): Sighting => ({
  kind: "memory",
  limit,
  task,
  times: 1,
});
const full = { usedBytes: 9.7 * GiB, freeBytes: 0, freeInodes: 500 };

describe("what happened", () => {
  it("is told by the sandbox's own limit where its user has no other", () => {
    const alone = {
      ...audience,
      userLimits: { ...audience.userLimits, memoryBytes: audience.limits.memoryBytes },
    };
    expect(textOf(kill("slice", "tail"), alone)).toBe(textOf(kill("sandbox", "tail"), alone));
  });

  it.each<[Sighting, string]>([
    [
      kill("sandbox", "postgres"),
      "postgres was killed at 1.0 of 1.0 GiB memory; for more: berth resize alice/lab --memory 2G",
    ],
    [
      kill("inner", "tail"),
      "tail was killed at the memory limit of its own container, which is not the sandbox's; for more: docker run -m",
    ],
    [
      kill("slice", "tail"),
      "tail was killed: all sandboxes of alice together have used up their 3.0 GiB memory; for more: berth resize alice/lab --memory 2G",
    ],
    [
      kill("host", "tail"),
      "tail was killed: the server itself had no memory left; ask who runs it",
    ],
    [
      kill("unknown"),
      "a process was killed at the memory limit of the sandbox (1.0 GiB) or of a container in it; for more: berth resize alice/lab --memory 2G",
    ],
    [
      { kind: "pids", limit: "sandbox" },
      "the limit of 512 processes was reached; new ones are refused; for more: berth resize alice/lab --pids 1024",
    ],
    [
      { kind: "pids", limit: "inner" },
      "a container reached a limit of processes of its own; new ones are refused in it; for more: docker run --pids-limit",
    ],
    [
      { kind: "disk", space: full },
      "the disk is full: 9.7 of 9.7 GiB; docker system prune frees some; for more: berth resize alice/lab --disk 20G",
    ],
    [
      { kind: "disk", space: { ...full, freeInodes: 0 } },
      "the disk holds as many files as it can; docker system prune frees some; for more: berth resize alice/lab --disk 20G",
    ],
    [
      { kind: "cpu", percent: 43 },
      "its processes had to wait for the CPU limit (1.5 cores) 43 % of the last minute; for more: berth resize alice/lab --cpus 3",
    ],
  ])("is told with the way out: %j", (sighting, text) => {
    expect(textOf(sighting, audience)).toBe(text);
  });

  it("names small limits in MiB", () => {
    const small = { ...audience, limits: { ...limits, memoryBytes: 768 * 1024 ** 2 } };
    expect(textOf(kill("sandbox", "sh"), small)).toBe(
      "sh was killed at 768.0 of 768.0 MiB memory; for more: berth resize alice/lab --memory 1536M",
    );
  });

  it.each([
    [{ ...limits, memoryBytes: 1.5 * GiB }, "for more: berth resize alice/lab --memory 1536M"],
    [limits, "no sandbox may have more on this server"],
  ])("offers no more than an operator allows (%j)", (maxLimits, wayOut) => {
    const text = textOf(kill("sandbox", "sh"), { ...audience, maxLimits });
    expect(text).toBe(`sh was killed at 1.0 of 1.0 GiB memory; ${wayOut}`);
  });
});
