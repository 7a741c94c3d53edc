import { codeOf } from "../lib/errors.js";
import type { Log } from "../lib/log.js";
import type { ContainerFacts, KernelCounters, KernelMessage } from "../lib/model.js";
import { locateContainer, type ContainerCgroup } from "./container-cgroup.js";
import { readCounters } from "./counters.js";
import { followKernelLog } from "./kernel-log.js";

/** What reading says when the container ended: before the open, or after it. */
const goneCodes = ["ENOENT", "ENODEV", "ESRCH"];

/**
 * What the kernel itself says of a sandbox. Nothing a sandbox can write is opened: only /proc, the
 * cgroup files, and the kernel's log.
 */
export class HostKernel {
  readonly #log: Log;
  readonly #root: string;
  readonly #cgroups = new WeakMap<ContainerFacts, ContainerCgroup>();

  /** @param options.root where /proc and the cgroup mounts are found; `/` but in tests */
  constructor(options: { log: Log; root?: string }) {
    this.#log = options.log;
    this.#root = options.root ?? "/";
  }

  /** The counters of a container; undefined when it does not run. */
  async counters(facts: ContainerFacts): Promise<KernelCounters | undefined> {
    if (facts.pid === 0) return undefined;
    try {
      const cgroup = this.#cgroups.get(facts) ?? (await locateContainer(facts, this.#root));
      if (!cgroup) return undefined;
      this.#cgroups.set(facts, cgroup);
      return readCounters(cgroup);
    } catch (error) {
      if (goneCodes.includes(codeOf(error) ?? "")) return undefined;
      throw error;
    }
  }

  /** Follows the kernel's log until the returned function is called. */
  watchKernelLog(onMessage: (message: KernelMessage) => void): () => void {
    return followKernelLog(onMessage, this.#log);
  }
}
