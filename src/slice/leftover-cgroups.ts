import { readdir, readFile, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { ignoring } from "../lib/errors.js";
import { belowRoot, parseCgroupMounts } from "../lib/cgroup-mounts.js";

/*
 * On cgroup v1 runc makes a container's slice in every hierarchy, systemd removes it only from those
 * it manages itself: cpuset, freezer and others keep an empty directory for each slice that ever was.
 */

const parent = "/berth.slice";

/** Directories that show `berth.slice` in the v1 hierarchies. */
async function parentDirectories(root: string): Promise<string[]> {
  const mounts = parseCgroupMounts(await readFile(join(root, "proc/self/mountinfo"), "utf8"));
  return mounts.flatMap((mount) => {
    const below = mount.version === 1 ? belowRoot(mount.root, parent) : undefined;
    return below === undefined ? [] : [join(root, mount.mountPoint, below)];
  });
}

/** Names of slices that have a directory in any v1 hierarchy. */
export async function slicesWithCgroups(root: string): Promise<string[]> {
  const found = new Set<string>();
  for (const dir of await parentDirectories(root)) {
    for (const entry of (await ignoring(readdir(dir, { withFileTypes: true }), "ENOENT")) ?? []) {
      if (entry.isDirectory() && entry.name.endsWith(".slice")) found.add(entry.name);
    }
  }
  return [...found];
}

/** Removes a slice's directories where nothing is in them; the kernel refuses to remove others. */
export async function removeEmptyCgroups(slice: string, root: string): Promise<void> {
  for (const dir of await parentDirectories(root)) {
    await ignoring(rmdir(join(dir, slice)), "ENOENT", "EBUSY", "ENOTEMPTY");
  }
}
