import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const scripts = fileURLToPath(new URL("../../../../images/dind", import.meta.url));

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "berth-unit-build-"));
  await mkdir(join(dir, "state", "build"), { recursive: true });
  await mkdir(join(dir, "overlay2", "layer", "diff"), { recursive: true });
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/** Runs a function of build.sh in what stands for dockerd's data-root. */
const run = (name: string): string =>
  execFileSync(
    "sh",
    ["-euc", `. ${scripts}/common.sh; . ${scripts}/build.sh; state=state; ${name}`],
    { cwd: dir, encoding: "utf8" },
  );

const attribute = (name: string, path: string): string => {
  try {
    const args = ["--no-dereference", "--only-values", "--name", name, path];
    return execFileSync("getfattr", args, { cwd: dir, encoding: "utf8", stdio: "pipe" });
  } catch {
    return "";
  }
};

const opaque = "trusted.overlay.opaque";
const setOpaque = (path: string): void => {
  execFileSync("setfattr", ["--no-dereference", "-n", opaque, "-v", "y", path], { cwd: dir });
};

/** `trusted.*` is real root's alone. */
function mayMark(): boolean {
  try {
    setOpaque(".");
    return true;
  } catch {
    return false;
  }
}

describe("the store of a preload", () => {
  it("has opaque directories marked for user namespaces, whatever they are called", async ({
    skip,
  }) => {
    skip(!mayMark(), "trusted attributes cannot be set here");
    const odd = "overlay2/layer/diff/a\n# file: victim";
    await mkdir(join(dir, odd));
    await mkdir(join(dir, "victim"));
    setOpaque(odd);
    run("mark_opaque");
    expect(attribute("user.overlay.opaque", odd)).toBe("y");
    expect(attribute("user.overlay.opaque", "victim")).toBe("");
  });

  it("is not a way to mark what an image's symbolic link leads to", async ({ skip }) => {
    skip(!mayMark(), "trusted attributes cannot be set here");
    await mkdir(join(dir, "victim"));
    await symlink(join(dir, "victim"), join(dir, "overlay2/layer/diff/lure"));
    await symlink("nowhere", join(dir, "overlay2/layer/diff/dangling"));
    for (const name of ["lure", "dangling"]) setOpaque(`overlay2/layer/diff/${name}`);
    run("mark_opaque");
    expect(attribute("user.overlay.opaque", "victim")).toBe("");
  });

  it("holds no node of the disk it was made on", async () => {
    // In the place of the block device that dockerd makes on XFS.
    await writeFile(join(dir, "overlay2", "backingFsBlockDev"), "");
    run("drop_disk_node");
    expect(await readdir(join(dir, "overlay2"))).toEqual(["layer"]);
  });
});
