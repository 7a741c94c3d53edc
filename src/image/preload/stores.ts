import {
  chmod,
  mkdir,
  readdir,
  readFile,
  rename,
  rmdir,
  stat,
  unlink,
  writeFile,
} from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { BerthError, ignoring, messageOf } from "../../lib/errors.js";
import type { run } from "../../lib/exec.js";
import type { Log } from "../../lib/log.js";
import { mountOf, parseMountinfo, type Mount } from "../../lib/mountinfo.js";
import { takeFromImage } from "./carry.js";
import { removeContainer, type DockerHost } from "./builder.js";
import { preloadName, tagOfPreload, type Places } from "./places.js";

export interface StoresOptions {
  docker: DockerHost;
  places: Places;
  exec: typeof run;
  log: Log;
  /** For tests. */
  mountinfo?: string | undefined;
}

/** The stores of this host: a file each, unpacked from its image once, mounted once, for all sandboxes. */
export class Stores {
  readonly #docker: DockerHost;
  readonly #places: Places;
  readonly #exec: typeof run;
  readonly #log: Log;
  readonly #mountinfo: string;

  constructor({ docker, places, exec, log, mountinfo }: StoresOptions) {
    this.#log = log;
    this.#docker = docker;
    this.#places = places;
    this.#exec = exec;
    this.#mountinfo = mountinfo ?? "/proc/self/mountinfo";
  }

  /** Preloads that have a file, a part of one, or a mount here. */
  async names(): Promise<string[]> {
    const files = (await ignoring(readdir(this.#places.dir), "ENOENT")) ?? [];
    const mounted = (await this.#mounts())
      .filter(({ mountPoint }) => dirname(mountPoint) === this.#places.mountsDir)
      .map(({ mountPoint }) => basename(mountPoint));
    const names = [...files.map((file) => file.replace(/\.erofs(\.partial)?$/, "")), ...mounted];
    return [...new Set(names)].filter((name) => preloadName(name) !== undefined);
  }

  /**
   * Mounts a store, after unpacking it if this host never did; returns where.
   * @throws BerthError IMAGE_MISSING, DISK_FULL, DISK_FAILED, ENGINE_UNREACHABLE
   */
  async mount(preload: string): Promise<string> {
    const mountPoint = this.#places.mountPoint(preload);
    if (await this.#isMounted(mountPoint)) return mountPoint;
    const file = this.#places.storeFile(preload);
    if (!(await ignoring(stat(file), "ENOENT"))) await this.#unpack(preload);
    try {
      await this.#prepareMountsDir();
      await mkdir(mountPoint, { recursive: true, mode: 0o700 });
      // nodev: a device node of some image must not be one in the hands of a sandbox's root.
      await this.#exec("mount", ["-t", "erofs", "-o", "loop,ro,nodev", file, mountPoint]);
      await this.#bypassCache(mountPoint);
    } catch (error) {
      throw new BerthError(
        "DISK_FAILED",
        `cannot mount the preloaded images ${file}: ${reasonOf(error)}; has the kernel EROFS (modprobe erofs), and is a loop device free?`,
        { cause: error },
      );
    }
    return mountPoint;
  }

  /** Removes what an unpacking left that was killed; there is none under way. */
  async tidy(): Promise<void> {
    const files = (await ignoring(readdir(this.#places.dir), "ENOENT")) ?? [];
    const partials = files.filter((file) => file.endsWith(".partial"));
    if (partials.length === 0) return;
    await removeContainer(this.#docker, this.#places.containers.unpack);
    for (const file of partials) await ignoring(unlink(join(this.#places.dir, file)), "ENOENT");
  }

  /** Leaves nothing of a store here. Nobody uses it: the caller sees to that. */
  async remove(preload: string): Promise<void> {
    const mountPoint = this.#places.mountPoint(preload);
    // The file first: a mount that somebody's namespace holds must not keep it for the next start.
    await this.unlink(preload);
    await this.#unmount(mountPoint);
  }

  /** Leaves no mount here, nor the directory of mounts; of the files, only on request, anything. */
  async withdraw({ keepFiles }: { keepFiles: boolean }): Promise<void> {
    await this.tidy();
    for (const preload of await this.names()) {
      if (keepFiles) await this.#unmount(this.#places.mountPoint(preload));
      else await this.remove(preload);
    }
    await this.#unmount(this.#places.mountsDir);
  }

  /** Removes the file alone; whoever has it mounted keeps it until they let go. */
  async unlink(preload: string): Promise<void> {
    await ignoring(unlink(this.#places.storeFile(preload)), "ENOENT");
    await ignoring(unlink(this.#places.partialFile(preload)), "ENOENT");
  }

  /**
   * Lets the loop device read around the page cache, which would else hold everything twice: for the
   * store and for its file. Not every file system can; then it costs memory, and no more than that.
   */
  async #bypassCache(mountPoint: string): Promise<void> {
    const mount = (await this.#mounts()).find((one) => one.mountPoint === mountPoint);
    if (!mount) return;
    await this.#exec("losetup", ["--direct-io=on", mount.source]).catch((error: unknown) => {
      this.#log.info({ device: mount.source, err: error }, "a preload is cached twice");
    });
  }

  async #unpack(preload: string): Promise<void> {
    const [file, partial] = [this.#places.storeFile(preload), this.#places.partialFile(preload)];
    const name = this.#places.containers.unpack;
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await this.tidy();
    // There before the container is, so that `tidy` knows of it.
    await writeFile(partial, "", { mode: 0o600 });
    try {
      const image = tagOfPreload(preload);
      await takeFromImage({ docker: this.#docker, name, image, file: partial });
      await rename(partial, file);
    } catch (error) {
      await ignoring(unlink(partial), "ENOENT");
      throw error;
    }
  }

  /** Where nobody but root walks, and where an unmount reaches the copies in other mount namespaces. */
  async #prepareMountsDir(): Promise<void> {
    const dir = this.#places.mountsDir;
    await mkdir(dir, { recursive: true, mode: 0o700 });
    await chmod(dir, 0o700);
    const mounts = await this.#mounts();
    const inUse = mounts.some(({ mountPoint }) => dirname(mountPoint) === dir);
    if (inUse || mountOf(mounts, dir)?.shared) return;
    await this.#exec("mount", ["--bind", "--make-shared", dir, dir]);
  }

  async #unmount(dir: string): Promise<void> {
    if (await this.#isMounted(dir)) await this.#exec("umount", [dir]);
    await ignoring(rmdir(dir), "ENOENT");
  }

  async #isMounted(mountPoint: string): Promise<boolean> {
    return (await this.#mounts()).some((mount) => mount.mountPoint === mountPoint);
  }

  async #mounts(): Promise<Mount[]> {
    return parseMountinfo(await readFile(this.#mountinfo, "utf8"));
  }
}

function reasonOf(error: unknown): string {
  const said = error instanceof Error && "stderr" in error ? String(error.stderr).trim() : "";
  return said || messageOf(error);
}
