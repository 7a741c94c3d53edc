import { execFile } from "node:child_process";
import { chmod, copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const wrapper = fileURLToPath(new URL("../../../bin/berth", import.meta.url));

let root: string;
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), "berth-bin-"));
  await mkdir(path.join(root, "bin"));
  await copyFile(wrapper, path.join(root, "bin/berth"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs the wrapper of `root`, with a PATH that starts with `root`/path. */
function berth(words: string[], file = "bin/berth"): Promise<Outcome> {
  const node = path.dirname(process.execPath);
  const PATH = [path.join(root, "path"), node, "/usr/bin", "/bin"].join(":");
  return new Promise((resolve) => {
    execFile(path.join(root, file), words, { env: { PATH } }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === "number" ? error.code : 0, stdout, stderr });
    });
  });
}

async function install(program: string): Promise<void> {
  await mkdir(path.join(root, "dist"));
  await writeFile(path.join(root, "dist/main.js"), program);
}

describe("bin/berth", () => {
  it("hands its words to the built program and gives its exit code", async () => {
    await install("console.log(process.argv.slice(2).join('|')); process.exitCode = 3;");
    expect(await berth(["show", "a b"])).toEqual({ code: 3, stdout: "show|a b\n", stderr: "" });
  });

  it("keeps the heap small of what lasts or passes much on", async () => {
    await install("console.log(process.execArgv.join(' '))");
    expect((await berth(["serve"])).stdout).toContain("--max-semi-space-size=2");
    expect((await berth(["image", "build", "a b"])).stdout).toContain("--max-semi-space-size=2");
    expect((await berth(["list"])).stdout).toBe("\n");
  });

  it("finds its program through a symlink", async () => {
    await install("console.log('here')");
    await symlink("bin/berth", path.join(root, "linked"));
    expect((await berth([], "linked")).stdout).toBe("here\n");
  });

  it("says how to build when that was not done", async () => {
    const { code, stderr } = await berth([]);
    expect(code).toBe(1);
    expect(stderr).toContain("npm run build");
  });

  it.each([
    ["v18.19.0", false],
    ["v20.18.3", false],
    ["v20.19.0", true],
    ["v22.1.0", true],
  ])("node %s is new enough: %s", async (version, enough) => {
    await install("");
    await mkdir(path.join(root, "path"));
    const node = path.join(root, "path/node");
    await writeFile(node, `#!/bin/sh\necho ${version}\n`);
    await chmod(node, 0o755);
    const { code, stderr } = await berth(["list"]);
    expect(code).toBe(enough ? 0 : 1);
    if (!enough) expect(stderr).toContain("20.19");
  });
});
