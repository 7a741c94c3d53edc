import { parseMountinfo } from "./mountinfo.js";

/** A mounted cgroup hierarchy: one for all controllers in v2, one for each (or a few) in v1. */
export interface CgroupMount {
  version: 1 | 2;
  /** v1 only; a v2 hierarchy serves whatever no v1 hierarchy has taken. */
  controllers: string[];
  /** Which cgroup of the hierarchy the mount shows; `/` but in containers. */
  root: string;
  mountPoint: string;
}

/** The cgroup mounts in the text of /proc/self/mountinfo, in mount order. */
export function parseCgroupMounts(mountinfo: string): CgroupMount[] {
  return parseMountinfo(mountinfo).flatMap(
    ({ type, root, mountPoint, superOptions }): CgroupMount[] => {
      if (type === "cgroup2") return [{ version: 2, controllers: [], root, mountPoint }];
      if (type !== "cgroup") return [];
      return [{ version: 1, controllers: superOptions, root, mountPoint }];
    },
  );
}

export interface CgroupDirectory {
  version: 1 | 2;
  path: string;
}

/**
 * The directory with the files of `controller` for a cgroup, given by its path in the hierarchy.
 * undefined when no hierarchy with the controller is mounted, or only a part of it without the cgroup.
 */
export function locateCgroup(
  mounts: CgroupMount[],
  controller: string,
  cgroup: string,
): CgroupDirectory | undefined {
  const v1 = mounts.filter((mount) => mount.controllers.includes(controller));
  // A controller that a v1 hierarchy has taken is not in v2's (hybrid machines).
  const candidates = v1.length > 0 ? v1 : mounts.filter((mount) => mount.version === 2);
  // The last mount wins: it hides an earlier one at the same place.
  for (const { version, root, mountPoint } of candidates.toReversed()) {
    const below = belowRoot(root, cgroup);
    if (below !== undefined) return { version, path: `${mountPoint}${below}` };
  }
  return undefined;
}

/** Where in a mount a cgroup is, if the mount shows it. */
export function belowRoot(root: string, cgroup: string): string | undefined {
  if (root === "/") return cgroup;
  return cgroup.startsWith(`${root}/`) ? cgroup.slice(root.length) : undefined;
}
