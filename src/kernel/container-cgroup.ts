import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { locateCgroup, parseCgroupMounts, type CgroupDirectory } from "../lib/cgroup-mounts.js";
import type { ContainerFacts } from "../lib/model.js";

/** Where a container's own cgroup has its files, by controller. */
export interface ContainerCgroup {
  memory: CgroupDirectory;
  pids: CgroupDirectory;
  cpu: CgroupDirectory;
  /** v1 only: v2 has the processor time in cpu.stat. */
  cpuacct: CgroupDirectory | undefined;
  /** Linux 6.11 counts in pids.events for the cgroups below too, and here for the cgroup's own limit. */
  hasLocalPidsEvents: boolean;
  hasPidsPeak: boolean;
  hasPressure: boolean;
}

/**
 * Finds a running container's cgroup on v1, hybrid and v2; undefined when its process is gone, is not
 * of this container, or a controller is not mounted.
 * @param root where /proc and the cgroup mounts are found; `/` but in tests
 */
export async function locateContainer(
  { containerId, pid }: ContainerFacts,
  root: string,
): Promise<ContainerCgroup | undefined> {
  const [mountinfo, cgroups] = await Promise.all([
    readFile(join(root, "proc/self/mountinfo"), "utf8"),
    readFile(join(root, `proc/${pid}/cgroup`), "utf8"),
  ]);
  const mounts = parseCgroupMounts(mountinfo);
  const paths = parseProcessCgroups(cgroups);
  const locate = (controller: string): CgroupDirectory | undefined => {
    // "0::" is the v2 hierarchy, which serves what no v1 hierarchy has taken.
    const path = paths.get(controller) ?? paths.get("");
    const own = path === undefined ? undefined : cutAfter(path, containerId);
    const found = own === undefined ? undefined : locateCgroup(mounts, controller, own);
    return found && { ...found, path: join(root, found.path) };
  };
  const [memory, pids, cpu] = [locate("memory"), locate("pids"), locate("cpu")];
  if (!memory || !pids || !cpu) return undefined;
  return {
    memory,
    pids,
    cpu,
    cpuacct: cpu.version === 1 ? locate("cpuacct") : undefined,
    hasLocalPidsEvents: existsSync(join(pids.path, "pids.events.local")),
    hasPidsPeak: existsSync(join(pids.path, "pids.peak")),
    // On v1 only the machine as a whole has it.
    hasPressure: memory.version === 2 && existsSync(join(memory.path, "memory.pressure")),
  };
}

/** The path per controller in the text of /proc/<pid>/cgroup (cgroups(7)); v2's is under "". */
function parseProcessCgroups(text: string): Map<string, string> {
  const paths = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) continue;
    for (const controller of controllers.split(",")) paths.set(controller, path);
  }
  return paths;
}

/**
 * The container's own cgroup: its first process may sit in a leaf below it, which the sandbox named.
 * undefined when the path does not lead through the container: the pid is another process's by now.
 */
function cutAfter(path: string, containerId: string): string | undefined {
  const segments = path.split("/");
  const at = segments.findIndex((segment) => segment.includes(containerId));
  return at === -1 ? undefined : segments.slice(0, at + 1).join("/");
}
