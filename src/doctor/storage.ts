import { randomBytes } from "node:crypto";
import { constants, type StatsFs } from "node:fs";
import { open, realpath, stat, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import type { Finding } from "../cli/local.js";
import { codeOf, ignoring } from "../lib/errors.js";
import { mountOf, parseMountinfo, type Mount } from "../lib/mountinfo.js";
import { formatSize } from "../lib/units.js";
import { failure, faultsOr, inOrder, warning } from "./findings.js";
import type { Machine, Outcome } from "./machine.js";

/** What is known of the directory that Berth keeps everything in. */
export interface DirectoryFacts {
  dataDir: string;
  /** Where it will be made, when it is not there yet. */
  parent: string;
  /** undefined while it is not there. */
  owner?: number;
  mode?: number;
  isWritable: boolean;
  /** As in /proc/self/mountinfo: `ext4`. */
  fileSystem: string;
  space: { freeBytes: number; freeInodes: number; inodes: number };
  holes: Holes;
}

/** `unknown`: it could not be tried, or the file system does not say at once what a file takes. */
type Holes = "kept" | "filled" | "not given back" | "unknown";

/**
 * Asks a program of its own, before anything else looks there: a directory on a dead server's file system never
 * answers, and would keep one of this process's few threads for files with each question.
 * @returns the fault when it does not answer
 */
export async function askDirectory(
  machine: Machine,
  dataDir: string,
): Promise<Finding | undefined> {
  const asked = await machine.run("stat", ["--file-system", "--", dataDir]);
  if (asked.ok || asked.reason.kind !== "too slow") return undefined;
  return failure("data directory", {
    what: `${dataDir} does not answer (stat: ${asked.reason.text}); nothing in it was looked at`,
    why: "records, disks and keys of all sandboxes are kept below dataDir: whoever asks for one now waits, and may not even be killed",
    fix: "cat /proc/mounts # what it lies on; bring that server or disk back, or set dataDir in the configuration to a directory on a disk of this host",
  });
}

export async function lookAtStorage(machine: Machine, dataDir: string): Promise<Finding[]> {
  const facts = await readDirectory(machine, dataDir);
  return [...decideDirectory(facts), ...decideFileSystem(facts), decideSpace(facts)];
}

export async function readDirectory(machine: Machine, dataDir: string): Promise<DirectoryFacts> {
  const there = await ignoring(stat(dataDir), "ENOENT");
  const parent = await firstThere(dataDir);
  const { bavail, bsize, files, ffree }: StatsFs = await statfs(parent);
  return {
    dataDir,
    parent,
    ...(there ? { owner: there.uid, mode: there.mode & 0o777 } : {}),
    fileSystem: (await mountBelow(machine, parent))?.type ?? "",
    space: { freeBytes: bavail * bsize, freeInodes: ffree, inodes: files },
    ...(await tryHoles(machine, parent)),
  };
}

/** What a directory lies on, or will when it is made; undefined when the kernel does not tell. */
export async function mountBelow(machine: Machine, directory: string): Promise<Mount | undefined> {
  const mounts = parseMountinfo((await machine.read("/proc/self/mountinfo")) ?? "");
  return mountOf(mounts, await realpath(await firstThere(directory)));
}

/** The nearest directory above that is there already. */
async function firstThere(path: string): Promise<string> {
  if (path === "/" || (await ignoring(stat(path), "ENOENT"))) return path;
  return firstThere(dirname(path));
}

/** O_TMPFILE (open(2)), which Node has no name for: a file without a name, gone when it is closed. */
const namelessFile = 0o20_000_000 | constants.O_DIRECTORY | constants.O_RDWR;
const pieceBytes = 1024 ** 2;

/**
 * Writes a piece into the middle of a file and takes it back, as a disk does when a user deletes something:
 * neither what was never written nor what was given back may take space.
 */
async function tryHoles(
  machine: Machine,
  directory: string,
): Promise<Pick<DirectoryFacts, "isWritable" | "holes">> {
  let file;
  try {
    file = await open(directory, namelessFile, 0o600);
  } catch (error) {
    // Not every file system knows files without a name; it is full, or may not be written.
    const refused = ["EROFS", "EACCES", "EPERM"].includes(codeOf(error) ?? "");
    return { isWritable: !refused, holes: "unknown" };
  }
  try {
    await file.truncate(64 * pieceBytes);
    // Such as no file system can compress.
    await file.write(randomBytes(pieceBytes), 0, pieceBytes, 32 * pieceBytes);
    await file.sync();
    const written = (await file.stat()).blocks * 512;
    const path = `/proc/${process.pid}/fd/${file.fd}`;
    const piece = ["--offset", String(32 * pieceBytes), "--length", String(pieceBytes)];
    const punched = await machine.run("fallocate", ["--punch-hole", ...piece, path]);
    const left = (await file.stat()).blocks * 512;
    return { isWritable: true, holes: judgeHoles({ written, punched, left }) };
  } catch {
    // Full, most likely, which is told by the space.
    return { isWritable: true, holes: "unknown" };
  } finally {
    await file.close();
  }
}

/** @param tried bytes that the file took with a piece written, what came of taking it back, and bytes after that */
export function judgeHoles(tried: { written: number; punched: Outcome; left: number }): Holes {
  const { written, punched, left } = tried;
  if (written > 8 * pieceBytes) return "filled";
  // ZFS counts a file's blocks anew only when it has written a transaction group, seconds later.
  if (written < pieceBytes) return "unknown";
  if (punched.ok) return left < written ? "kept" : "unknown";
  // fallocate(1) has words of its own for EOPNOTSUPP: "keep size mode is unsupported".
  return /not supported|unsupported/.test(punched.reason.text) ? "not given back" : "unknown";
}

/** Who may get at it. */
export function decideDirectory(facts: DirectoryFacts): Finding[] {
  const check = "data directory";
  const { dataDir, mode, owner } = facts;
  if (!facts.isWritable) {
    return [
      failure(check, {
        what: `${facts.parent} cannot be written to`,
        why: "records, disks and keys of all sandboxes are kept below dataDir",
        fix: `findmnt -T ${facts.parent}; mount -o remount,rw …, or set dataDir in the configuration`,
      }),
    ];
  }
  if (mode === undefined) return [inOrder(check, `${dataDir} is made at the daemon's start`)];
  const faults: Finding[] = [];
  if (owner !== 0) {
    faults.push(
      failure(check, {
        what: `${dataDir} belongs to uid ${owner ?? "?"}`,
        why: "its owner can put records, disks and keys of their own there, which Berth trusts as root",
        fix: `chown root:root ${dataDir}`,
      }),
    );
  }
  if ((mode & 0o077) !== 0) {
    faults.push(
      warning(check, {
        what: `${dataDir} has mode ${mode.toString(8)}: others than root may look into it`,
        why: "the key that signs certificates, users' tokens (hashed) and the disks of all sandboxes are there, each file's own mode being all that is left between",
        fix: `chmod 700 ${dataDir}`,
      }),
    );
  }
  return faultsOr(faults, inOrder(check, `${dataDir}, for root alone`));
}

/** On the network a lock, a loop device and a broken line do not go together. */
const networkFileSystems =
  /^(nfs|nfs4|cifs|smb3|smbfs|9p|ceph|fuse\..*|glusterfs|lustre|virtiofs)$/;
const memoryFileSystems = ["tmpfs", "ramfs"];

export function decideFileSystem(facts: DirectoryFacts): Finding[] {
  const check = "file system";
  const { dataDir, fileSystem } = facts;
  const faults: Finding[] = [];
  const elsewhere = "set dataDir in the configuration to a directory on ext4, xfs or btrfs";
  if (networkFileSystems.test(fileSystem)) {
    faults.push(
      failure(check, {
        what: `${dataDir} is on ${fileSystem}`,
        why: "disks of sandboxes are files mounted by loop devices: over a network they are slow, and a line that breaks takes all sandboxes along",
        fix: elsewhere,
      }),
    );
  }
  if (memoryFileSystems.includes(fileSystem)) {
    faults.push(
      warning(check, {
        what: `${dataDir} is on ${fileSystem}, in memory`,
        why: "at the next boot all records, users and disks are gone, and until then disks take memory that no limit counts",
        fix: elsewhere,
      }),
    );
  }
  if (fileSystem === "overlay") {
    faults.push(
      warning(check, {
        what: `${dataDir} is on overlayfs, a container's own root`,
        why: "it goes with the container, and disks on it are slow",
        fix: elsewhere,
      }),
    );
  }
  if (facts.holes === "filled") {
    faults.push(
      failure(check, {
        what: `${fileSystem} fills the holes of files`,
        why: "a sandbox's disk of 10 GB would take 10 GB at once, whether its user writes or not",
        fix: elsewhere,
      }),
    );
  }
  if (facts.holes === "not given back") {
    faults.push(
      warning(check, {
        what: `${fileSystem} takes no space back from the middle of a file`,
        why: "what users delete stays taken on the host: their disks only grow",
        fix: elsewhere,
      }),
    );
  }
  const said = facts.holes === "unknown" ? "" : ", with holes that take no space";
  return faultsOr(faults, inOrder(check, `${fileSystem || "unknown"}${said}`));
}

/** Below the first, creations will soon fail; below the second they do. */
const littleBytes = 2 * 1024 ** 3;
const noneBytes = 16 * 1024 ** 2;
const fewInodes = 10_000;

export function decideSpace({ dataDir, space }: DirectoryFacts): Finding {
  const check = "space";
  const { freeBytes, freeInodes, inodes } = space;
  const free = `${formatSize(freeBytes)} free below ${dataDir}`;
  const why =
    "disks of sandboxes are sparse and together may promise more than there is: once the host's own is full, what users write fails, and new sandboxes fail with DISK_FULL";
  const fix = "berth reap; docker system df; du -xh --max-depth=1 /var | sort -h | tail";
  if (freeBytes < noneBytes) return failure(check, { what: free, why, fix });
  if (freeBytes < littleBytes) return warning(check, { what: free, why, fix });
  // Those without a fixed number (btrfs) say 0 of 0.
  if (inodes > 0 && freeInodes < fewInodes) {
    return warning(check, { what: `${freeInodes} inodes free below ${dataDir}`, why, fix });
  }
  return inOrder(check, free);
}
