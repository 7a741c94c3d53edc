import { chmod, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { thisMachine, type Outcome } from "../../../src/doctor/machine.js";
import {
  askDirectory,
  decideDirectory,
  decideFileSystem,
  decideSpace,
  judgeHoles,
  readDirectory,
  type DirectoryFacts,
} from "../../../src/doctor/storage.js";
import { done, failed, fakeMachine, notInstalled } from "./fake-machine.js";

const GiB = 1024 ** 3;
const fine: DirectoryFacts = {
  dataDir: "/var/lib/berth",
  parent: "/var/lib/berth",
  owner: 0,
  mode: 0o700,
  isWritable: true,
  fileSystem: "ext4",
  space: { freeBytes: 50 * GiB, freeInodes: 1e6, inodes: 2e6 },
  holes: "kept",
};
const { owner: _owner, mode: _mode, ...notThere } = fine;

const statuses = (found: { status: string }[]) => found.map(({ status }) => status);

describe("a data directory that is asked first", () => {
  const tooSlow: Outcome = { ok: false, reason: { kind: "too slow", text: "no end after 10 s" } };
  it.each<[string, string, Outcome]>([
    ["nothing", "answers", done()],
    ["nothing", "is not there", failed("cannot read file system information: No such file")],
    ["nothing", "cannot be asked", notInstalled],
    ["a failure", "does not answer", tooSlow],
  ])("comes to %s when it %s", async (what, _when, stat) => {
    const found = await askDirectory(fakeMachine({}, { stat }), "/srv/berth");
    if (what === "nothing") expect(found).toBeUndefined();
    else expect(found).toMatchObject({ check: "data directory", status: "failure" });
  });
});

describe("data directory", () => {
  it.each<[string[], string, DirectoryFacts]>([
    [["ok"], "root's alone", fine],
    [["ok"], "not made yet", notThere],
    [["failure"], "read-only", { ...fine, isWritable: false }],
    [["failure"], "somebody else's", { ...fine, owner: 1000 }],
    [["warning"], "open to others", { ...fine, mode: 0o755 }],
    [["failure", "warning"], "both", { ...fine, owner: 1000, mode: 0o750 }],
  ])("%j when it is %s", (expected, _what, facts) => {
    expect(statuses(decideDirectory(facts))).toEqual(expected);
  });
});

describe("file system", () => {
  it.each<[string[], Partial<DirectoryFacts>]>([
    [["ok"], {}],
    [["ok"], { fileSystem: "xfs" }],
    [["ok"], { fileSystem: "btrfs", holes: "unknown" }],
    [["failure"], { fileSystem: "nfs4", holes: "unknown" }],
    [["failure"], { fileSystem: "cifs", holes: "unknown" }],
    [["failure"], { fileSystem: "fuse.sshfs", holes: "unknown" }],
    [["warning"], { fileSystem: "tmpfs" }],
    [["warning"], { fileSystem: "overlay" }],
    [["failure"], { fileSystem: "vfat", holes: "filled" }],
    [["warning"], { fileSystem: "hfsplus", holes: "not given back" }],
  ])("%j with %j", (expected, facts) => {
    expect(statuses(decideFileSystem({ ...fine, ...facts }))).toEqual(expected);
  });
});

describe("holes", () => {
  const MiB = 1024 ** 2;
  const noSuch = failed("fallocate: fallocate failed: Operation not supported");
  // util-linux 2.38 and newer, on ramfs.
  const noSuchMode = failed("fallocate: fallocate failed: keep size mode is unsupported");
  it.each<[string, string, Parameters<typeof judgeHoles>[0]]>([
    ["kept", "ext4", { written: MiB + 4096, punched: done(), left: 4096 }],
    ["filled", "vfat", { written: 64 * MiB, punched: noSuch, left: 64 * MiB }],
    ["not given back", "hfsplus", { written: MiB, punched: noSuch, left: MiB }],
    ["not given back", "ramfs", { written: MiB, punched: noSuchMode, left: MiB }],
    ["unknown", "ZFS before it has written", { written: 512, punched: done(), left: 512 }],
    ["unknown", "ZFS between two writings", { written: MiB, punched: done(), left: MiB }],
    [
      "unknown",
      "a disk that fails",
      { written: MiB, punched: failed("Input/output error"), left: MiB },
    ],
    ["unknown", "a host without fallocate", { written: MiB, punched: notInstalled, left: MiB }],
  ])("are %s on %s", (holes, _where, tried) => {
    expect(judgeHoles(tried)).toBe(holes);
  });
});

describe("space", () => {
  it.each<[string, Partial<DirectoryFacts["space"]>]>([
    ["ok", {}],
    ["warning", { freeBytes: 1.9 * GiB }],
    ["failure", { freeBytes: 1024 }],
    ["warning", { freeInodes: 9000 }],
    ["ok", { freeInodes: 0, inodes: 0 }],
  ])("%s with %j", (status, space) => {
    const facts = { ...fine, space: { ...fine.space, ...space } };
    expect(decideSpace(facts)).toMatchObject({ check: "space", status });
  });
});

describe("readDirectory", () => {
  it("tries it and leaves nothing", async () => {
    const dir = await mkdtemp(join(tmpdir(), "berth-doctor-"));
    try {
      await chmod(dir, 0o750);
      const facts = await readDirectory(thisMachine, dir);
      expect(facts).toMatchObject({ dataDir: dir, parent: dir, mode: 0o750, isWritable: true });
      expect(facts.fileSystem).not.toBe("");
      expect(facts.space.freeBytes).toBeGreaterThan(0);
      expect(await readdir(dir)).toEqual([]);
    } finally {
      await rm(dir, { recursive: true });
    }
  });

  it("looks at where it would be made", async () => {
    const facts = await readDirectory(thisMachine, join(tmpdir(), "not", "there", "yet"));
    expect(facts.parent).toBe(tmpdir());
    expect(facts.mode).toBeUndefined();
  });
});
