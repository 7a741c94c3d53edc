import { describe, expect, it } from "vitest";
import { countDisks, decideIo, type IoFacts } from "../../../src/doctor/io.js";
import { parseMountinfo } from "../../../src/lib/mountinfo.js";
import { fakeMachine } from "./fake-machine.js";

const fine: IoFacts = {
  dataDir: "/var/lib/berth",
  bounds: ["write", "readIops"],
  unified: ["cpu", "io", "memory", "pids"],
  fileSystem: "ext4",
  disks: 1,
};

describe("io", () => {
  it.each<[string, string, Partial<IoFacts>, RegExp]>([
    ["ok", "nothing is bounded", { bounds: [], unified: [], disks: 0 }, /bounds no traffic/],
    ["ok", "one disk is there", {}, /^io\.write, io\.readIops, for each user/],
    ["warning", "cgroups are of version 1", { unified: [], disks: 0 }, /version 1/],
    ["warning", "memory is of version 1", { unified: ["cpu", "io"] }, /version 1/],
    ["failure", "the controller is missing", { unified: ["memory", "cpu"] }, /no controller io/],
    ["failure", "no disk is there", { fileSystem: "tmpfs", disks: 0 }, /tmpfs: none can be told/],
    ["failure", "several are", { fileSystem: "btrfs", disks: 2 }, /btrfs: it is on 2/],
  ])("%s when %s", (status, _when, given, what) => {
    const finding = decideIo({ ...fine, ...given });
    expect(finding).toMatchObject({ check: "io", status });
    expect(finding.what).toMatch(what);
  });
});

describe("the disks below a directory", () => {
  const machine = fakeMachine({
    "/sys/fs/btrfs/features/compress_zstd": "",
    "/sys/fs/btrfs/aaaa/devices/berth-sda1/size": "",
    "/sys/fs/btrfs/bbbb/devices/berth-sdb1/size": "",
    "/sys/fs/btrfs/bbbb/devices/berth-sdc1/size": "",
  });
  it.each([
    ["ext4 on a partition", "8:1 / / rw - ext4 /dev/sda1 rw", 1],
    ["xfs on LVM", "253:2 / / rw - xfs /dev/mapper/data rw", 1],
    ["tmpfs", "0:30 / / rw - tmpfs tmpfs rw", 0],
    ["overlay", "0:31 / / rw - overlay overlay rw", 0],
    ["zfs", "0:32 / / rw - zfs tank/berth rw", 0],
    ["nfs", "0:33 / / rw - nfs4 srv:/berth rw", 0],
    ["btrfs on one", "0:34 / / rw - btrfs /dev/berth-sda1 rw", 1],
    ["btrfs on two", "0:35 / / rw - btrfs /dev/berth-sdc1 rw", 2],
    ["btrfs on one that sysfs does not tell", "0:36 / / rw - btrfs /dev/root rw", 1],
  ])("of %s", async (_which, line, disks) => {
    const [mount] = parseMountinfo(`36 35 ${line}`);
    if (!mount) throw new Error("no mount");
    expect(await countDisks(machine, mount)).toBe(disks);
  });
});
