import { lstatSync, statfsSync } from "node:fs";
import { chmod, lstat, mkdir, readFile, rename, rmdir, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { BerthError, ignoring } from "../lib/errors.js";
import { run } from "../lib/exec.js";
import { hasSysResource } from "../lib/host-facts.js";
import type { Log } from "../lib/log.js";
import type { DiskSpace } from "../lib/model.js";
import { diskError } from "./failure.js";
import { growFileSystem, growImage, mustBeGrowable } from "./grow.js";
import { devicesOf, idOfImage, imageName, listLoopDevices, validId } from "./loop-devices.js";
import { blockSize, makeSparseFile, mkfsArguments } from "./mkfs.js";
import { mountOf, parseMountinfo, type Mount } from "../lib/mountinfo.js";
import { detachBy, unmountBy } from "./release.js";
import { fileSystemBytes } from "./superblock.js";
import { spaceAt, type SpaceHost } from "./space.js";

/**
 * No nosuid and nodev here, though they look prudent: the sandbox's data-root is a bind mount of
 * this one and inherits them, and setuid programs and device nodes are legal in a user's volumes.
 * On the host nobody but root can walk into `mountsDir` (mode 0700) to run or open such a file.
 */
const mountOptions = "loop,discard,noatime";

interface Host extends SpaceHost {
  exec: typeof run;
  mountinfo: string;
  sysBlock: string;
  fileSystemBytes: typeof fileSystemBytes;
  /** Whether we may resize a mounted file system. */
  mayGrow: () => Promise<boolean>;
  /** How long a mount may stay busy and a disk attached while the last process of a container ends. */
  releaseTimeoutMs: number;
}

const thisHost: Host = {
  exec: run,
  mountinfo: "/proc/self/mountinfo",
  sysBlock: "/sys/block",
  fileSystemBytes,
  mayGrow: hasSysResource,
  statfs: (path) => statfsSync(path),
  deviceOf: (path) => lstatSync(path, { throwIfNoEntry: false })?.dev,
  releaseTimeoutMs: 5000,
};

/** Per sandbox a sparse ext4 image, `<sandboxesDir>/<id>/disk.img`, loop-mounted at `<mountsDir>/<id>`. */
export class LoopDisks {
  readonly #sandboxesDir: string;
  readonly #mountsDir: string;
  readonly #log: Log;
  readonly #host: Host;
  #mountsDirReady: Promise<void> | undefined;

  /** `host` is for tests. Both directories are absolute, without symbolic links. */
  constructor(
    options: { sandboxesDir: string; mountsDir: string; log: Log },
    host: Partial<Host> = {},
  ) {
    this.#sandboxesDir = options.sandboxesDir;
    this.#mountsDir = options.mountsDir;
    this.#log = options.log;
    this.#host = { ...thisHost, ...host };
  }

  /**
   * Makes the image file and its file system; the sandbox's directory exists. An image that is there
   * is complete, for one is formatted under another name and renamed when done; of whatever size it
   * is, it holds a user's data and is kept. {@link grow} sees to its size once it is mounted.
   * @param owner uid and gid of the file system's root directory
   * @throws BerthError DISK_FULL, DISK_FAILED
   */
  async create(id: string, sizeBytes: number, owner: number): Promise<void> {
    const image = this.#image(id);
    const there = await ignoring(lstat(image), "ENOENT");
    if (there?.isFile()) return;
    if (there) {
      throw new BerthError("DISK_FAILED", `${image} is no file; remove the sandbox first`);
    }
    const partial = `${image}.partial`;
    try {
      await ignoring(unlink(partial), "ENOENT");
      await makeSparseFile(partial, sizeBytes);
      await this.#host.exec("mkfs.ext4", mkfsArguments(partial, sizeBytes, owner));
      await rename(partial, image);
    } catch (error) {
      const explained = await diskError(`make the disk ${image}`, dirname(image), error);
      await ignoring(unlink(partial), "ENOENT");
      throw explained;
    }
  }

  /**
   * Mounts the disk and returns the mount point.
   * @throws BerthError DISK_FULL, DISK_FAILED
   */
  async mount(id: string): Promise<string> {
    const image = this.#image(id);
    const mountPoint = this.#mountPoint(id);
    try {
      await this.#prepareMountsDir();
      const mounted = (await this.#mountsOf(id)).at(-1);
      if (mounted) {
        await this.#checkIsOurs(mounted, image);
        return mountPoint;
      }
      await mkdir(mountPoint, { recursive: true, mode: 0o700 });
      // One process: it finds a free loop device, and the kernel lets go of that at unmount (autoclear).
      await this.#host.exec("mount", ["-t", "ext4", "-o", mountOptions, image, mountPoint]);
      return mountPoint;
    } catch (error) {
      await this.#checkLoopDevices(error);
      throw await diskError(`mount ${image}`, dirname(image), error);
    }
  }

  /**
   * Whether a mounted disk can be made larger on this host; asked before anything is changed.
   * @throws BerthError DISK_FAILED
   */
  async checkGrowth(): Promise<void> {
    mustBeGrowable(await this.#host.mayGrow());
  }

  /**
   * Makes the disk at least this large while it is in use: image, loop device, file system. Whatever
   * of it a crash broke off is done by repeating it. Of a disk that is not mounted only the image
   * grows, for to resize an unmounted file system it would have to be checked whole first; repeat it
   * after the mount. Only the device is opened, never anything in the mount.
   * @throws BerthError DISK_FULL, DISK_FAILED
   */
  async grow(id: string, sizeBytes: number): Promise<void> {
    const image = this.#image(id);
    try {
      await growImage(image, sizeBytes);
      const mounted = (await this.#mountsOf(id)).at(-1);
      if (!mounted) return;
      const missing = sizeBytes - (await this.#host.fileSystemBytes(mounted.source));
      if (missing < blockSize) return;
      await this.#checkIsOurs(mounted, image);
      await growFileSystem({ device: mounted.source, image, sizeBytes }, this.#host.exec);
    } catch (error) {
      throw await diskError(`enlarge ${image}`, dirname(image), error);
    }
  }

  /**
   * Unmounts and waits until no loop device holds the image. Never lazily (`umount -l`): a disk out
   * of sight but in use would be unlinked and still fill the host.
   *
   * Other mount namespaces have copies of the mount: the sandbox's container, until its last process
   * is gone, and whatever was started meanwhile. Unmounting works while they exist; only the loop
   * device tells that one is left.
   * @throws BerthError DISK_FAILED, naming the processes that hold the disk
   */
  async unmount(id: string): Promise<void> {
    const deadline = Date.now() + this.#host.releaseTimeoutMs;
    const mountPoint = this.#mountPoint(id);
    try {
      for (const { device } of await this.#mountsOf(id)) {
        await unmountBy(deadline, { mountPoint, devices: [device] }, this.#host.exec);
      }
      await detachBy(deadline, this.#image(id), mountPoint, this.#host);
    } catch (error) {
      throw await diskError(`unmount ${mountPoint}`, this.#sandboxesDir, error);
    }
  }

  /**
   * Unmounts and unlinks the image. Nothing is ever deleted recursively here: were the user's file
   * system still mounted after all, rmdir fails and the rest stays.
   * @throws BerthError DISK_FAILED
   */
  async remove(id: string): Promise<void> {
    await this.unmount(id);
    const image = this.#image(id);
    try {
      await ignoring(unlink(image), "ENOENT");
      await ignoring(unlink(`${image}.partial`), "ENOENT");
      await ignoring(rmdir(this.#mountPoint(id)), "ENOENT");
    } catch (error) {
      throw await diskError(`remove the disk ${image}`, dirname(image), error);
    }
  }

  /**
   * What is used and free of the sandbox's file system.
   * @throws BerthError DISK_FAILED when it is not mounted
   */
  async space(id: string): Promise<DiskSpace> {
    return Promise.resolve(spaceAt(this.#mountPoint(id), this.#mountsDir, this.#host));
  }

  /** Ids whose disk is mounted, or attached to a loop device, and lies in our directories. */
  async attached(): Promise<string[]> {
    const ids = new Set<string>();
    for (const { mountPoint } of await this.#mounts()) {
      const id =
        dirname(mountPoint) === this.#mountsDir ? validId(basename(mountPoint)) : undefined;
      if (id) ids.add(id);
    }
    for (const { backingFile } of await listLoopDevices(this.#host.sysBlock)) {
      const id = idOfImage(backingFile, this.#sandboxesDir);
      if (id && !ids.has(id) && (await this.#isAttached(id))) ids.add(id);
    }
    return [...ids];
  }

  /**
   * Leaves nothing of the directory of mounts. No sandbox is left.
   * @throws BerthError DISK_FAILED while a disk is mounted there
   */
  async withdraw(): Promise<void> {
    const dir = this.#mountsDir;
    try {
      const mounts = await this.#mounts();
      if (mounts.some(({ mountPoint }) => mountPoint === dir)) {
        await this.#host.exec("umount", [dir]);
      }
      await ignoring(rmdir(dir), "ENOENT");
    } catch (error) {
      throw await diskError(`give up ${dir}`, this.#sandboxesDir, error);
    } finally {
      this.#mountsDirReady = undefined;
    }
  }

  #image(id: string): string {
    return join(this.#sandboxesDir, checked(id), imageName);
  }

  async #isAttached(id: string): Promise<boolean> {
    return (await devicesOf(this.#image(id), this.#host.exec)).length > 0;
  }

  #mountPoint(id: string): string {
    return join(this.#mountsDir, checked(id));
  }

  /** The directory nobody but root walks into, below which unmounts reach every copy of a mount. */
  #prepareMountsDir(): Promise<void> {
    this.#mountsDirReady ??= this.#makeMountsDir().catch((error: unknown) => {
      this.#mountsDirReady = undefined;
      throw error;
    });
    return this.#mountsDirReady;
  }

  async #makeMountsDir(): Promise<void> {
    const dir = this.#mountsDir;
    await mkdir(dir, { recursive: true, mode: 0o700 });
    await chmod(dir, 0o700);
    const mounts = await this.#mounts();
    if (mountOf(mounts, dir)?.shared) return;
    // Ours from an earlier start, which somebody has made private since.
    if (mounts.some(({ mountPoint }) => mountPoint === dir)) {
      await this.#host.exec("mount", ["--make-shared", dir]);
      return;
    }
    // Disks mounted already (by us, before this rule) would vanish from sight under the new mount.
    const inUse = mounts.some(({ mountPoint }) => dirname(mountPoint) === dir);
    if (inUse) return;
    // Where / is private (systemd makes it shared, but not inside a container), a service started
    // while a disk is mounted would keep its copy, and the loop device, for as long as it runs.
    await this.#host.exec("mount", ["--bind", "--make-shared", dir, dir]);
    this.#log.info({ dir }, "made the directory of disks a shared mount");
  }

  async #checkIsOurs(mount: Mount, image: string): Promise<void> {
    if ((await devicesOf(image, this.#host.exec)).includes(mount.source)) return;
    throw new BerthError(
      "DISK_FAILED",
      `${mount.source} is mounted at ${mount.mountPoint} and does not hold ${image}; unmount it first`,
    );
  }

  /** mount(8) says "failed to setup loop device" for many reasons; losetup knows whether one is free. */
  async #checkLoopDevices(cause: unknown): Promise<void> {
    if (cause instanceof BerthError) return;
    const found = await this.#host.exec("losetup", ["--find"]).catch(() => "");
    // losetup adds " (lost)" to a device without a node.
    const free = found.trim().split(" ")[0] ?? "";
    // A /dev that is no devtmpfs (a container's) gets no node when the kernel makes a device.
    if (free !== "" && (await ignoring(lstat(free), "ENOENT"))) return;
    const why = free === "" ? "" : ` (the kernel offers ${free}, which has no node in /dev)`;
    throw new BerthError(
      "DISK_FAILED",
      `no free loop device${why}: see that the module is loaded (modprobe loop), that /dev is a devtmpfs ` +
        "or holds loop-control and enough loop nodes, and raise the kernel parameter max_loop if it is set",
      { cause },
    );
  }

  async #mounts(): Promise<Mount[]> {
    return parseMountinfo(await readFile(this.#host.mountinfo, "utf8"));
  }

  async #mountsOf(id: string): Promise<Mount[]> {
    const mountPoint = this.#mountPoint(id);
    return (await this.#mounts()).filter((mount) => mount.mountPoint === mountPoint);
  }
}

/** Ids become paths; one that is none is a bug of the caller. */
function checked(id: string): string {
  if (validId(id) === undefined) throw new TypeError(`"${id}" is no sandbox id`);
  return id;
}
