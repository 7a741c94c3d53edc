import { readFile, statfs } from "node:fs/promises";
import { BerthError, codeOf, ignoring, messageOf } from "../lib/errors.js";
import { formatSize } from "../lib/units.js";
import { mountOf, parseMountinfo } from "../lib/mountinfo.js";

/** Less than this is full: mkfs and the kernel write in larger pieces. */
const fullBelowBytes = 1024 ** 2;

/**
 * Turns what a step threw into an error for people. Tools report a full file system by text and exit
 * code 1 only, so the file system is asked whether it is full.
 */
export async function diskError(act: string, dir: string, error: unknown): Promise<BerthError> {
  if (error instanceof BerthError) return error;
  const space = await spaceOf(dir);
  const full = ["ENOSPC", "EDQUOT"].includes(codeOf(error) ?? "") || space?.full === true;
  if (full && space) {
    return new BerthError(
      "DISK_FULL",
      `could not ${act}: the file system of ${dir} (${space.name}) has ${space.freeBytes} bytes ` +
        `(${formatSize(space.freeBytes)}) and ${space.freeInodes} inodes free; free some, or remove sandboxes`,
      { cause: error },
    );
  }
  return new BerthError("DISK_FAILED", `could not ${act}: ${reasonOf(error)}`, { cause: error });
}

async function spaceOf(dir: string) {
  const stats = await statfs(dir).catch(() => undefined);
  if (!stats) return undefined;
  const freeBytes = stats.bavail * stats.bsize;
  // File systems without a fixed number of inodes (btrfs) report 0 of 0.
  const full = freeBytes < fullBelowBytes || (stats.files > 0 && stats.ffree === 0);
  const mounts = await ignoring(readFile("/proc/self/mountinfo", "utf8"), "ENOENT");
  const mount = mountOf(parseMountinfo(mounts ?? ""), dir);
  const name = mount ? `${mount.type} ${mount.source} on ${mount.mountPoint}` : "unknown";
  return { freeBytes, freeInodes: stats.ffree, full, name };
}

/** What the tool said on stderr, or which package has it. */
function reasonOf(error: unknown): string {
  if (codeOf(error) === "ENOENT" && isExecError(error)) {
    return `${error.command} is not installed; apt-get install e2fsprogs mount util-linux`;
  }
  const said = isExecError(error) && typeof error.stderr === "string" ? error.stderr.trim() : "";
  return said === "" ? messageOf(error) : said;
}

function isExecError(error: unknown): error is { stderr?: unknown; command: string } {
  return error instanceof Error && "command" in error && typeof error.command === "string";
}
