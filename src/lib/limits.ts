/** What a sandbox, or all sandboxes of a user together, may use. */
export interface Limits {
  /** Main memory, bytes; there is no swap beside it. */
  memoryBytes: number;
  /** Processor time, in cores; 1.5 is one and a half. */
  cpus: number;
  /** Processes and threads. */
  pids: number;
}

/** A sandbox's limits: the disk is its own, the others sum up in the user's slice. */
export interface SandboxLimits extends Limits {
  /** Size of the sandbox's disk: images, volumes and build cache together, bytes. */
  diskBytes: number;
}

/** What a user's slice must allow so that each of these sandboxes can have its own limits. */
export function sumLimits(all: Limits[]): Limits {
  const sum = { memoryBytes: 0, cpus: 0, pids: 0 };
  for (const limits of all) {
    sum.memoryBytes += limits.memoryBytes;
    sum.cpus += limits.cpus;
    sum.pids += limits.pids;
  }
  return sum;
}

/** What allows both: of each limit the larger. */
export function largerOf(one: SandboxLimits, other: SandboxLimits): SandboxLimits {
  return {
    memoryBytes: Math.max(one.memoryBytes, other.memoryBytes),
    cpus: Math.max(one.cpus, other.cpus),
    pids: Math.max(one.pids, other.pids),
    diskBytes: Math.max(one.diskBytes, other.diskBytes),
  };
}
