/** One line of `/proc/<pid>/mountinfo` (proc_pid_mountinfo(5)), as far as Berth needs it. */
export interface Mount {
  /** `major:minor` of the file system's device. */
  device: string;
  /** What of its file system the mount shows; `/` for the whole. */
  root: string;
  mountPoint: string;
  /** Whether mounts and unmounts below are passed on to other mount namespaces. */
  shared: boolean;
  type: string;
  source: string;
  /** The file system's own options; for cgroup v1 these name the controllers. */
  superOptions: string[];
}

/** In the order of mounting: of two on one mount point, the later one hides the earlier. */
export function parseMountinfo(text: string): Mount[] {
  const mounts: Mount[] = [];
  for (const line of text.split("\n")) {
    const fields = line.split(" ");
    // Optional fields (`shared:1`, `master:2`) stand between the sixth and a lone dash.
    const dash = fields.indexOf("-", 6);
    const [, , device, root, mountPoint] = fields;
    const [type, source, superOptions] = fields.slice(dash + 1);
    if (dash === -1 || !device || !root || !mountPoint || !type || source === undefined) continue;
    mounts.push({
      device,
      root: unescape(root),
      mountPoint: unescape(mountPoint),
      shared: fields.slice(6, dash).some((field) => field.startsWith("shared:")),
      type,
      source: unescape(source),
      superOptions: superOptions?.split(",") ?? [],
    });
  }
  return mounts;
}

/** The kernel writes space, tab, newline, `#` and backslash as three octal digits. */
function unescape(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(parseInt(octal, 8)),
  );
}

/** The mount that `path` (absolute, without symbolic links) lies on. */
export function mountOf(mounts: readonly Mount[], path: string): Mount | undefined {
  let found: Mount | undefined;
  for (const mount of mounts) {
    const prefix = mount.mountPoint === "/" ? "/" : `${mount.mountPoint}/`;
    const holds = path === mount.mountPoint || path.startsWith(prefix);
    if (holds && mount.mountPoint.length >= (found?.mountPoint.length ?? 0)) found = mount;
  }
  return found;
}
