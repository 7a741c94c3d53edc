import { describe, expect, it } from "vitest";
import { mountOf, parseMountinfo } from "../../../src/lib/mountinfo.js";

const text = `22 27 0:21 / /proc rw,relatime shared:3 - proc proc rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
271 27 0:27 / /run/berth/disks rw shared:172 master:1 - tmpfs tmpfs rw,mode=755
274 271 7:0 / /run/berth/disks/k3x9f2ab rw,noatime shared:173 - ext4 /dev/loop0 rw,discard
280 27 7:1 / /mnt/two\\040words\\011and\\134slash rw - ext4 /dev/loop1 rw
281 27 0:50 / /srv/empty-source rw -  nfs  rw
`;

describe("parseMountinfo", () => {
  const mounts = parseMountinfo(text);

  it("reads device, mount point, type and source, with and without optional fields", () => {
    expect(mounts[1]).toEqual({
      device: "254:0",
      root: "/",
      mountPoint: "/",
      shared: false,
      type: "ext4",
      source: "/dev/vda",
      superOptions: ["rw", "discard"],
    });
    expect(mounts[3]).toMatchObject({ device: "7:0", source: "/dev/loop0", shared: true });
  });

  it("turns octal escapes back", () => {
    expect(mounts.map((mount) => mount.mountPoint)).toContain("/mnt/two words\tand\\slash");
  });

  it("leaves out lines it cannot read", () => {
    expect(parseMountinfo("nonsense\n\n1 2 3 - \n")).toEqual([]);
  });
});

describe("mountOf", () => {
  const mounts = parseMountinfo(text);

  it("finds the nearest mount above a path", () => {
    expect(mountOf(mounts, "/run/berth/disks/k3x9f2ab/data")?.device).toBe("7:0");
    expect(mountOf(mounts, "/run/berth/disks/k3x9f2a")?.device).toBe("0:27");
    expect(mountOf(mounts, "/var/lib/berth")?.device).toBe("254:0");
  });

  it("finds the upper of two mounts on one point", () => {
    const upper = parseMountinfo("300 27 0:99 / /proc rw - tmpfs none rw");
    expect(mountOf([...mounts, ...upper], "/proc")?.device).toBe("0:99");
  });
});
