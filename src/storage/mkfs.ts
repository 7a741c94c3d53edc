import { open } from "node:fs/promises";

/**
 * One inode per 8 KiB of disk, twice what mkfs would give: layers of small files (node_modules,
 * /etc, git) would else run out of inodes before bytes. Costs 1.6 % more of the disk.
 */
const bytesPerInode = 8192;
export const blockSize = 4096;
/** mkfs reserves room for at most 2^32 blocks. */
const mostBlocks = 2 ** 32 - 1;

/**
 * What mkfs.ext4 is given for an empty, sparse file of this size (mke2fs(8)).
 * @param owner uid and gid of the root directory: who writes there, without anybody having to change it
 */
export function mkfsArguments(file: string, sizeBytes: number, owner: number): string[] {
  const blocks = Math.floor(sizeBytes / blockSize);
  const extended = [
    // The holes of a sparse file are zeros already; what the kernel zeroes later in the background
    // it punches as holes, so that neither costs space.
    "lazy_itable_init=1",
    "lazy_journal_init=1",
    "nodiscard",
    `root_owner=${owner}:${owner}`,
    // Room to grow sixteenfold while mounted; the default, a thousandfold, writes 4 MB of reserve.
    `resize=${Math.min(blocks * 16, mostBlocks)}`,
  ];
  return [
    ...["-q", "-m", "0", "-b", String(blockSize), "-I", "256", "-i", String(bytesPerInode)],
    // A damaged disk stops taking writes instead of spoiling more.
    ...["-e", "remount-ro"],
    ...["-E", extended.join(",")],
    file,
  ];
}

/** Fails when the file is there: nothing planted or left over is ever formatted. */
export async function makeSparseFile(file: string, sizeBytes: number): Promise<void> {
  const handle = await open(file, "wx", 0o600);
  try {
    await handle.truncate(sizeBytes);
  } finally {
    await handle.close();
  }
}
