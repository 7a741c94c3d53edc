import { lstat, readdir, readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { ignoring } from "../lib/errors.js";
import type { run } from "../lib/exec.js";

export interface LoopDevice {
  /** `loop7` */
  name: string;
  backingFile: string;
}

/**
 * Attached loop devices of the whole machine, other mount namespaces' included: the kernel names the
 * file by its path in the namespace that attached it. So a path alone does not say that a file is
 * ours (a second Berth in a container shows the very same ones); {@link devicesOf} does.
 */
export async function listLoopDevices(sysBlock: string): Promise<LoopDevice[]> {
  const names = (await readdir(sysBlock)).filter((name) => /^loop\d+$/.test(name));
  const devices = await Promise.all(
    names.map(async (name) => {
      // Absent while nothing is attached; ENXIO and ENODEV when it is let go of while we read.
      const file = join(sysBlock, name, "loop/backing_file");
      const text = await ignoring(readFile(file, "utf8"), "ENOENT", "ENXIO", "ENODEV");
      return { name, backingFile: text?.replace(/\n$/, "") ?? "" };
    }),
  );
  return devices.filter(({ backingFile }) => backingFile !== "");
}

/**
 * Device nodes attached to this very file, by its inode and file system: losetup compares those.
 * None when the file is gone, for then losetup would compare paths.
 */
export async function devicesOf(image: string, exec: typeof run): Promise<string[]> {
  if (!(await ignoring(lstat(image), "ENOENT", "ENOTDIR"))) return [];
  const output = await exec("losetup", ["--associated", image, "--noheadings", "--output", "NAME"]);
  return output.split("\n").filter((line) => line.startsWith("/dev/loop"));
}

/** The id in `<sandboxesDir>/<id>/disk.img`, if `file` is one of those. */
export function idOfImage(file: string, sandboxesDir: string): string | undefined {
  if (basename(file) !== imageName || dirname(dirname(file)) !== sandboxesDir) return undefined;
  return validId(basename(dirname(file)));
}

export const imageName = "disk.img";

export function validId(text: string): string | undefined {
  return /^[a-z][a-z0-9]{7}$/.test(text) ? text : undefined;
}
