import type { DiskSpace } from "../lib/model.js";
import type { Limits, SandboxLimits } from "../lib/limits.js";

/** Something that a limit did, as it was seen; what is told of it is in `textOf`. */
export type Sighting =
  | {
      kind: "memory";
      /** Whose memory was used up; `unknown` when only the kernel's count of kills tells. */
      limit: "sandbox" | "inner" | "slice" | "host" | "unknown";
      task?: string | undefined;
      /** How many processes were killed. */
      times: number;
    }
  | { kind: "disk"; space: DiskSpace }
  | { kind: "pids"; limit: "sandbox" | "inner" }
  | { kind: "cpu"; percent: number };

/** Whom it is told to, and what they may have. */
export interface Audience {
  user: string;
  name: string;
  limits: SandboxLimits;
  /** What all sandboxes of the user may use together. */
  userLimits: Limits;
  /** The most that an operator lets one sandbox have. */
  maxLimits: SandboxLimits;
}

/** What makes two sightings the same thing, told once with a count; pure. */
export function subjectOf(sighting: Sighting): string {
  switch (sighting.kind) {
    case "memory":
      return `memory ${sighting.limit} ${sighting.task ?? ""}`;
    case "pids":
      return `pids ${sighting.limit}`;
    case "disk":
    case "cpu":
      return sighting.kind;
  }
}

/** What happened in the user's terms, and the way out; pure. */
export function textOf(sighting: Sighting, to: Audience): string {
  switch (sighting.kind) {
    case "memory":
      return killText(sighting, to);
    case "pids":
      if (sighting.limit === "inner") {
        return "a container reached a limit of processes of its own; new ones are refused in it; for more: docker run --pids-limit";
      }
      return `the limit of ${to.limits.pids} processes was reached; new ones are refused; ${more(to, "pids")}`;
    case "disk":
      return diskText(sighting.space, to);
    case "cpu": {
      const cores = `${to.limits.cpus} ${to.limits.cpus === 1 ? "core" : "cores"}`;
      return `its processes had to wait for the CPU limit (${cores}) ${sighting.percent} % of the last minute; ${more(to, "cpus")}`;
    }
  }
}

function killText({ limit, task }: Sighting & { kind: "memory" }, to: Audience): string {
  const killed = `${task ?? "a process"} was killed`;
  const own = to.limits.memoryBytes;
  const ownText = `${killed} at ${ofSizes(own, own)} memory; ${more(to, "memory")}`;
  switch (limit) {
    case "sandbox":
      return ownText;
    case "inner":
      return `${killed} at the memory limit of its own container, which is not the sandbox's; for more: docker run -m`;
    case "slice":
      // Of a user with one sandbox both limits are the same, and the slice's may be met first.
      if (to.userLimits.memoryBytes === own) return ownText;
      return `${killed}: all sandboxes of ${to.user} together have used up their ${size(to.userLimits.memoryBytes)} memory; ${more(to, "memory")}`;
    case "host":
      return `${killed}: the server itself had no memory left; ask who runs it`;
    case "unknown":
      return `${killed} at the memory limit of the sandbox (${size(own)}) or of a container in it; ${more(to, "memory")}`;
  }
}

function diskText({ usedBytes, freeBytes, freeInodes }: DiskSpace, to: Audience): string {
  const what =
    freeInodes === 0
      ? "the disk holds as many files as it can"
      : `the disk is full: ${ofSizes(usedBytes, usedBytes + freeBytes)}`;
  return `${what}; docker system prune frees some; ${more(to, "disk")}`;
}

const limitKeys = {
  memory: "memoryBytes",
  cpus: "cpus",
  pids: "pids",
  disk: "diskBytes",
} as const;

/** The command that raises a limit, with twice as much for an example. */
function more({ user, name, limits, maxLimits }: Audience, option: keyof typeof limitKeys): string {
  const key = limitKeys[option];
  const wanted = Math.min(limits[key] * 2, maxLimits[key]);
  if (wanted <= limits[key]) return "no sandbox may have more on this server";
  const value = key === "memoryBytes" || key === "diskBytes" ? sizeArgument(wanted) : wanted;
  return `for more: berth resize ${user}/${name} --${option} ${value}`;
}

const [MiB, GiB] = [1024 ** 2, 1024 ** 3];

/** As the command line takes it, never more than `bytes`: `2G`, `1536M`. */
function sizeArgument(bytes: number): string {
  return bytes % GiB === 0 ? `${bytes / GiB}G` : `${Math.floor(bytes / MiB)}M`;
}

/** `1.0 of 1.0 GiB`, both in the larger one's unit. */
function ofSizes(used: number, whole: number): string {
  const [unit, name] = whole >= GiB ? [GiB, "GiB"] : [MiB, "MiB"];
  return `${(used / unit).toFixed(1)} of ${(whole / unit).toFixed(1)} ${name}`;
}

function size(bytes: number): string {
  return ofSizes(bytes, bytes).replace(/^.* of /, "");
}
