import { open } from "node:fs/promises";

// Offsets in ext4's superblock, which starts at byte 1024 (kernel documentation,
// filesystems/ext4/super.rst). All numbers are little-endian.
const superblockAt = 1024;
const blocksLow = 0x4;
const logBlockSize = 0x18;
const magic = { at: 0x38, is: 0xef53 };
const blocksHigh = 0x150;

/**
 * How large the ext4 file system on a device is, bytes. Read from the device and not by statfs(2),
 * which leaves out what the file system needs for itself, and which would need the mount.
 */
export async function fileSystemBytes(device: string): Promise<number> {
  const handle = await open(device, "r");
  try {
    const block = Buffer.alloc(1024);
    await handle.read(block, 0, block.length, superblockAt);
    if (block.readUInt16LE(magic.at) !== magic.is) {
      throw new Error(`${device} holds no ext4 file system`);
    }
    const blocks = block.readUInt32LE(blocksHigh) * 2 ** 32 + block.readUInt32LE(blocksLow);
    return blocks * 1024 * 2 ** block.readUInt32LE(logBlockSize);
  } finally {
    await handle.close();
  }
}
