import type Docker from "dockerode";
import type { HostConfig } from "dockerode";
import { BerthError, codeOf, messageOf } from "../lib/errors.js";
import { engineCall } from "../lib/engine-call.js";
import type { Limits } from "../lib/limits.js";

/** A container's limits as the engine takes them, when it is made and when it is updated. */
export function limitsConfig({ memoryBytes, cpus, pids }: Limits) {
  return {
    Memory: memoryBytes,
    // The sum of both: no swap.
    MemorySwap: memoryBytes,
    NanoCpus: Math.round(cpus * 1e9),
    // systemd's DefaultTasksMax would cap the scope below a larger limit.
    PidsLimit: pids,
  };
}

/**
 * Whether the engine says that a container has these limits. Swap is not compared: where the kernel
 * does not account for it, the engine drops that limit and would seem to differ for ever.
 */
export function hasLimits(config: HostConfig, limits: Limits): boolean {
  const wanted = limitsConfig(limits);
  return (["Memory", "NanoCpus", "PidsLimit"] as const).every((key) => config[key] === wanted[key]);
}

/**
 * Changes a container's limits, live if it runs (Engine API, ContainerUpdate). What is left out of
 * an update stays as it is.
 */
export async function updateLimits(docker: Docker, name: string, limits: Limits): Promise<void> {
  try {
    await engineCall(`change the limits of the container ${name}`, () =>
      docker.getContainer(name).update(limitsConfig(limits)),
    );
  } catch (error) {
    if (codeOf(error) !== "ENGINE_FAILED") throw error;
    // cgroup v1 lets no cgroup have less processor time than one below it was promised.
    const hint = "a container inside with a larger limit of its own may stand in the way";
    throw new BerthError("ENGINE_FAILED", `${messageOf(error)}; ${hint}`, { cause: error });
  }
}
