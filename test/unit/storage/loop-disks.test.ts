import { statSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LoopDisks } from "../../../src/storage/loop-disks.js";
import { mkfsArguments } from "../../../src/storage/mkfs.js";

const id = "k3x9f2ab";
const owner = 1_073_741_824;
const sizeBytes = 64 * 1024 ** 2;

/** A host of files: mounts and loop devices exist as far as its mountinfo and sysfs say so. */
class FakeHost {
  readonly ran: string[] = [];
  readonly failing = new Map<string, string>();
  readonly mounted = new Map<string, string>();
  /** Bytes of the file system on each device; a new one fills its image. */
  readonly fileSystems = new Map<string, number>();
  /** Bytes of each loop device, which the kernel takes from the file only when told. */
  readonly capacities = new Map<string, number>();
  mayGrow = true;
  freeLoop = "/dev/null";
  /** Devices that paths are on, where it is not the one of the directory above. */
  readonly devices = new Map<string, number>();
  stats = { bsize: 4096, blocks: 0, bfree: 0, bavail: 0, ffree: 0 };
  #loops = new Map<string, string>();

  constructor(private readonly dir: string) {}

  readonly exec = async (file: string, args: readonly string[]): Promise<string> => {
    const last = args.at(-1) ?? "";
    this.ran.push(file);
    const stderr = this.failing.get(file);
    if (stderr !== undefined) throw Object.assign(new Error("failed"), { command: file, stderr });
    if (file === "losetup" && args[0] === "--associated") {
      const image = args[1] ?? "";
      return [...this.#loops]
        .filter(([, backing]) => backing === image)
        .map(([l]) => l)
        .join("\n");
    }
    if (file === "losetup" && args[0] === "--find") return this.freeLoop;
    if (file === "losetup" && args[0] === "--detach") await this.detach(last);
    if (file === "mount" && args.includes("loop,discard,noatime")) {
      await this.attach("/dev/loop0", args.at(-2) ?? "", "1");
      this.mounted.set(last, "/dev/loop0");
      if (!this.fileSystems.has("/dev/loop0")) this.fileSystems.set("/dev/loop0", sizeBytes);
    }
    if (file === "losetup" && args[0] === "--set-capacity") await this.lookAtSize(last);
    if (file === "resize2fs") {
      const wanted = Number(last) * 4096;
      if (wanted > (this.capacities.get(args[0] ?? "") ?? 0)) throw new Error("device too small");
      this.fileSystems.set(args[0] ?? "", wanted);
    }
    if (file === "umount") {
      const device = this.mounted.get(last);
      this.mounted.delete(last);
      if (device) await this.detach(device);
    }
    await this.writeMountinfo();
    return "";
  };

  async attach(device: string, image: string, autoclear: "0" | "1") {
    this.#loops.set(device, image);
    await this.lookAtSize(device);
    const dir = join(this.dir, "sys", device.slice(5), "loop");
    await mkdir(dir, { recursive: true });
    await writeFile(join(dir, "backing_file"), `${image}\n`);
    await writeFile(join(dir, "autoclear"), `${autoclear}\n`);
    await writeFile(join(dir, "../dev"), "7:0\n");
  }

  async lookAtSize(device: string) {
    // A stranger's file may be in another mount namespace.
    const file = await stat(this.#loops.get(device) ?? "").catch(() => undefined);
    this.capacities.set(device, file?.size ?? 0);
  }

  async detach(device: string) {
    this.#loops.delete(device);
    await rm(join(this.dir, "sys", device.slice(5), "loop"), { recursive: true });
  }

  async writeMountinfo() {
    const lines = [...this.mounted].map(
      ([point, device], i) => `${100 + i} 1 7:0 / ${point} rw shared:9 - ext4 ${device} rw`,
    );
    const all = ["1 0 254:0 / / rw shared:1 - ext4 /dev/vda rw", ...lines];
    await writeFile(join(this.dir, "mountinfo"), all.map((line) => `${line}\n`).join(""));
  }
}

let dir: string;
let host: FakeHost;
let disks: LoopDisks;
const image = () => join(dir, "sandboxes", id, "disk.img");

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "berth-disks-"));
  await mkdir(join(dir, "sandboxes", id), { recursive: true });
  await mkdir(join(dir, "sys", "vda"), { recursive: true });
  host = new FakeHost(dir);
  await host.writeMountinfo();
  disks = new LoopDisks(
    {
      sandboxesDir: join(dir, "sandboxes"),
      mountsDir: join(dir, "disks"),
      log: pino({ enabled: false }),
    },
    {
      exec: host.exec,
      fileSystemBytes: (device) => Promise.resolve(host.fileSystems.get(device) ?? NaN),
      mayGrow: () => Promise.resolve(host.mayGrow),
      mountinfo: join(dir, "mountinfo"),
      sysBlock: join(dir, "sys"),
      statfs: () => host.stats,
      deviceOf: (path) => host.devices.get(path) ?? statSync(path, { throwIfNoEntry: false })?.dev,
      releaseTimeoutMs: 50,
    },
  );
});
afterEach(() => rm(dir, { recursive: true }));

describe("create", () => {
  it("makes a sparse image of the size, readable to root only", async () => {
    await disks.create(id, sizeBytes, owner);
    expect(await stat(image())).toMatchObject({ size: sizeBytes, mode: 0o100600 });
    expect((await stat(image())).blocks * 512).toBeLessThan(sizeBytes / 8);
  });

  it("leaves a complete image alone when repeated", async () => {
    await disks.create(id, sizeBytes, owner);
    await disks.create(id, sizeBytes, owner);
    expect(host.ran).toEqual(["mkfs.ext4"]);
  });

  it("formats anew what a crash left half made", async () => {
    await writeFile(`${image()}.partial`, "half");
    await disks.create(id, sizeBytes, owner);
    expect(await readdir(join(dir, "sandboxes", id))).toEqual(["disk.img"]);
    expect(host.ran).toEqual(["mkfs.ext4"]);
  });

  it.each([sizeBytes / 2, sizeBytes * 2])(
    "never formats an image that is there, whatever its size (%i bytes)",
    async (bytes) => {
      await writeFile(image(), "precious");
      await truncate(image(), bytes);
      await disks.create(id, sizeBytes, owner);
      expect((await stat(image())).size).toBe(bytes);
      expect(host.ran).toEqual([]);
    },
  );

  it("refuses what is no file in the image's place", async () => {
    await mkdir(image());
    await expect(disks.create(id, sizeBytes, owner)).rejects.toMatchObject({ code: "DISK_FAILED" });
  });

  it("leaves no file and says what mkfs said when that fails", async () => {
    host.failing.set("mkfs.ext4", "mke2fs: bad luck");
    await expect(disks.create(id, sizeBytes, owner)).rejects.toMatchObject({
      code: "DISK_FAILED",
      message: expect.stringContaining("bad luck") as string,
    });
    expect(await readdir(join(dir, "sandboxes", id))).toEqual([]);
  });

  it("takes nothing for an id that is none", async () => {
    await expect(disks.create("../../etc", sizeBytes, owner)).rejects.toThrow(TypeError);
  });
});

describe("the directory of mounts", () => {
  const lines = (...mounts: string[]) => {
    const all = ["1 0 254:0 / / rw - ext4 /dev/vda rw", ...mounts];
    return writeFile(join(dir, "mountinfo"), all.map((line) => `${line}\n`).join(""));
  };
  const mounted = () => host.ran.filter((program) => program === "mount").length;

  it.each([
    ["is made shared where / is not", [], 2],
    ["is made shared again when somebody has changed that", ["9 1 254:0 /d DIR rw - ext4 x rw"], 2],
    ["is left alone when it is shared", ["9 1 254:0 /d DIR rw shared:7 - ext4 x rw"], 1],
  ])("%s", async (_, given, times) => {
    await disks.create(id, sizeBytes, owner);
    await lines(...given.map((line) => line.replace("DIR", join(dir, "disks"))));
    await disks.mount(id);
    expect(mounted()).toBe(times);
  });
});

describe("mount", () => {
  it("gives the mount point, below a directory only root can enter", async () => {
    await disks.create(id, sizeBytes, owner);
    expect(await disks.mount(id)).toBe(join(dir, "disks", id));
    expect((await stat(join(dir, "disks"))).mode & 0o777).toBe(0o700);
  });

  it("mounts once when repeated", async () => {
    await disks.create(id, sizeBytes, owner);
    await disks.mount(id);
    await disks.mount(id);
    expect(host.ran.filter((name) => name === "mount")).toHaveLength(1);
  });

  it("refuses a mount point on which something else is mounted", async () => {
    await disks.create(id, sizeBytes, owner);
    host.mounted.set(join(dir, "disks", id), "/dev/sdb1");
    await host.writeMountinfo();
    await expect(disks.mount(id)).rejects.toThrow(/sdb1 is mounted at .* does not hold/);
  });

  it("says what to do when no loop device is free", async () => {
    await disks.create(id, sizeBytes, owner);
    host.failing.set("mount", "mount: failed to setup loop device").set("losetup", "cannot find");
    await expect(disks.mount(id)).rejects.toThrow(/no free loop device: .*max_loop/);
  });

  it("names the loop device that has no node", async () => {
    await disks.create(id, sizeBytes, owner);
    host.failing.set("mount", "mount: failed to setup loop device");
    host.freeLoop = join(dir, "loop256");
    await expect(disks.mount(id)).rejects.toThrow(/kernel offers .*loop256, which has no node/);
  });

  it("says what mount said otherwise", async () => {
    await disks.create(id, sizeBytes, owner);
    host.failing.set("mount", "wrong fs type, bad superblock");
    await expect(disks.mount(id)).rejects.toMatchObject({
      code: "DISK_FAILED",
      message: expect.stringContaining("bad superblock") as string,
    });
  });
});

describe("grow", () => {
  const larger = 4 * sizeBytes;
  const sizes = async () => ({
    image: (await stat(image())).size,
    device: host.capacities.get("/dev/loop0"),
    fileSystem: host.fileSystems.get("/dev/loop0"),
  });
  const grown = { image: larger, device: larger, fileSystem: larger };

  beforeEach(async () => {
    await disks.create(id, sizeBytes, owner);
    await disks.mount(id);
    host.ran.length = 0;
  });

  it("makes image, loop device and file system larger while mounted, and takes no space", async () => {
    await disks.grow(id, larger);
    expect(await sizes()).toEqual(grown);
    expect((await stat(image())).blocks * 512).toBeLessThan(sizeBytes / 8);
    expect(host.ran).not.toContain("umount");
  });

  it("runs nothing for a disk that has the size already", async () => {
    await disks.grow(id, sizeBytes);
    await disks.grow(id, sizeBytes + 4095);
    expect(host.ran).toEqual([]);
  });

  it("never makes a disk smaller", async () => {
    await disks.grow(id, larger);
    await disks.grow(id, sizeBytes);
    expect(await sizes()).toEqual(grown);
  });

  it("finishes what a crash broke off after the image, or after the loop device, had grown", async () => {
    await truncate(image(), larger);
    await disks.grow(id, larger);
    expect(await sizes()).toEqual(grown);

    await truncate(image(), 2 * larger);
    await host.lookAtSize("/dev/loop0");
    await disks.grow(id, 2 * larger);
    expect((await sizes()).fileSystem).toBe(2 * larger);
  });

  it("grows the file system to what is asked when a failed growth left a longer image", async () => {
    await truncate(image(), 2 * larger);
    await disks.grow(id, larger);
    expect(await sizes()).toMatchObject({ image: 2 * larger, fileSystem: larger });
  });

  it("grows only the image of a disk that is not mounted, and the rest once it is", async () => {
    await disks.unmount(id);
    await disks.grow(id, larger);
    expect(host.ran).not.toContain("resize2fs");
    await disks.mount(id);
    await disks.grow(id, larger);
    expect(await sizes()).toEqual(grown);
  });

  it("says what resize2fs said when that fails, and can be repeated", async () => {
    host.failing.set("resize2fs", "resize2fs: Permission denied to resize filesystem");
    await expect(disks.grow(id, larger)).rejects.toMatchObject({
      code: "DISK_FAILED",
      message: expect.stringContaining("could not enlarge") as string,
    });
    expect((await sizes()).fileSystem).toBe(sizeBytes);
    host.failing.clear();
    await disks.grow(id, larger);
    expect(await sizes()).toEqual(grown);
  });

  it("touches nothing when something else is mounted there", async () => {
    host.mounted.set(join(dir, "disks", id), "/dev/sdb1");
    host.fileSystems.set("/dev/sdb1", 4096);
    await host.writeMountinfo();
    await expect(disks.grow(id, larger)).rejects.toThrow(/sdb1 is mounted at .* does not hold/);
    expect(host.ran).not.toContain("resize2fs");
  });

  it("is said to be impossible where root may not resize what is mounted", async () => {
    await disks.checkGrowth();
    host.mayGrow = false;
    await expect(disks.checkGrowth()).rejects.toThrow(/CAP_SYS_RESOURCE.*new sandbox/);
  });
});

describe("unmount and remove", () => {
  it("leave no mount, loop device, image or directory", async () => {
    await disks.create(id, sizeBytes, owner);
    await disks.mount(id);
    await disks.remove(id);
    expect(await disks.attached()).toEqual([]);
    expect(await readdir(join(dir, "sandboxes", id))).toEqual([]);
    expect(await readdir(join(dir, "disks"))).toEqual([]);
  });

  it("do nothing, and do not fail, for a disk that is not there", async () => {
    await disks.unmount(id);
    await disks.remove(id);
    expect(host.ran).toEqual([]);
  });

  it("detach a loop device that was set up by hand", async () => {
    await disks.create(id, sizeBytes, owner);
    await host.attach("/dev/loop3", image(), "0");
    await disks.unmount(id);
    expect(await disks.attached()).toEqual([]);
  });

  it("keep the image while a loop device holds it, and say so", async () => {
    await disks.create(id, sizeBytes, owner);
    await host.attach("/dev/loop3", image(), "1");
    await expect(disks.remove(id)).rejects.toMatchObject({
      code: "DISK_FAILED",
      message: expect.stringContaining("still in use") as string,
    });
    expect((await stat(image())).size).toBe(sizeBytes);
  });

  it("never delete what is in the mount point", async () => {
    await mkdir(join(dir, "disks", id, "user-data"), { recursive: true });
    await expect(disks.remove(id)).rejects.toMatchObject({ code: "DISK_FAILED" });
    expect(await readdir(join(dir, "disks", id))).toEqual(["user-data"]);
  });
});

describe("withdraw", () => {
  it("leaves nothing of the directory of mounts, mounted on itself or not", async () => {
    await disks.withdraw();
    await mkdir(join(dir, "disks"));
    await disks.withdraw();
    await mkdir(join(dir, "disks"));
    host.mounted.set(join(dir, "disks"), "tmpfs");
    host.detach = () => Promise.resolve();
    await host.writeMountinfo();
    await disks.withdraw();
    expect(host.mounted.size).toBe(0);
    expect(await readdir(dir)).not.toContain("disks");
  });

  it("fails while a disk is in there", async () => {
    await disks.create(id, sizeBytes, owner);
    await disks.mount(id);
    await expect(disks.withdraw()).rejects.toMatchObject({ code: "DISK_FAILED" });
    expect(await readdir(join(dir, "disks"))).toEqual([id]);
  });
});

describe("attached", () => {
  it("finds mounted disks, and attached ones without a mount, of ours only", async () => {
    await disks.create(id, sizeBytes, owner);
    await host.attach("/dev/loop3", image(), "0");
    host.mounted.set(join(dir, "disks", "mmmmmmmm"), "/dev/loop9");
    host.mounted.set(join(dir, "disks", "no-id"), "/dev/loop8");
    host.mounted.set(join(dir, "elsewhere", "mmmmmmm2"), "/dev/loop7");
    await host.writeMountinfo();
    await host.attach("/dev/loop4", "/home/somebody/disk.img", "0");
    expect(await disks.attached()).toEqual(["mmmmmmmm", id]);
  });

  it("leaves out a device of another namespace whose file only has the same path", async () => {
    await host.attach("/dev/loop3", image(), "0");
    expect(await disks.attached()).toEqual([]);
  });
});

describe("space", () => {
  it("is used and free as df reckons them: what ext4 keeps back is neither", async () => {
    await disks.create(id, sizeBytes, owner);
    await disks.mount(id);
    host.devices.set(join(dir, "disks", id), 7);
    host.stats = { bsize: 4096, blocks: 1000, bfree: 300, bavail: 250, ffree: 12 };
    expect(await disks.space(id)).toEqual({
      usedBytes: 700 * 4096,
      freeBytes: 250 * 4096,
      freeInodes: 12,
    });
  });

  it("is not the host's when the disk is not mounted", async () => {
    await expect(disks.space(id)).rejects.toMatchObject({ code: "DISK_FAILED" });
    await mkdir(join(dir, "disks", id), { recursive: true });
    await expect(disks.space(id)).rejects.toThrow(/no disk is mounted/);
  });
});

describe("mkfsArguments", () => {
  it("leaves room to grow sixteenfold, and never more than mkfs takes", () => {
    const resize = (bytes: number) =>
      /resize=(\d+)/.exec(mkfsArguments("f", bytes, owner).join(" "))?.[1];
    expect(resize(10 * 1024 ** 3)).toBe(String((160 * 1024 ** 3) / 4096));
    expect(resize(8 * 1024 ** 4)).toBe(String(2 ** 32 - 1));
  });
});
