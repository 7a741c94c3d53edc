import { readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bundleFileNames } from "../../../src/lib/bundle-archive.js";
import { runCli } from "../../../src/cli/run.js";
import { Bench, Recorder, TtyRecorder } from "./support.js";

let bench: Bench;
beforeEach(async () => {
  bench = await Bench.start();
  bench.api.add("aaaaaaa1", "alice");
});
afterEach(() => bench[Symbol.asyncDispose]());

const modeOf = async (file: string) => ((await stat(file)).mode & 0o777).toString(8);
const at = (...parts: string[]) => path.join(bench.dir, ...parts);

describe("berth bundle", () => {
  it("unpacks into ./USER-NAME when no place is named, and says where", async () => {
    const { code, stdout, stderr } = await bench.berth(["bundle", "alice"]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
    expect((await readdir(at("alice-default"))).sort()).toEqual([...bundleFileNames].sort());
    expect(await modeOf(at("alice-default"))).toBe("700");
    expect(await modeOf(at("alice-default/key.pem"))).toBe("600");
    expect(stderr).toContain("to ./alice-default:");
    expect(stderr).toContain("docker context import alice alice-default/berth.dockercontext\n");
  });

  it("unpacks into the directory named, and again over an earlier bundle", async () => {
    await bench.berth(["bundle", "alice", "-o", "out"]);
    const { code, stdout } = await bench.berth(["bundle", "alice", "-o", "out", "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      sandbox: "aaaaaaa1",
      path: at("out"),
      files: bundleFileNames,
    });
  });

  it("saves a zip for its owner alone", async () => {
    const { code } = await bench.berth(["bundle", "alice", "-o", "a.zip"]);
    expect(code).toBe(0);
    expect(await readFile(at("a.zip"), "latin1")).toBe("PK\u0003\u0004 a zip");
    expect(await modeOf(at("a.zip"))).toBe("600");
  });

  it("writes the tar and nothing else to stdout for -o -", async () => {
    const { code, stdout, stderr } = await bench.berth(["bundle", "alice", "-o", "-"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout.length % 512).toBe(0);
    expect(stdout).toContain("ustar");
  });

  it("refuses to write a tar to a terminal, or beside a JSON document", async () => {
    const onTty = await runCli(["bundle", "alice", "-o", "-"], {
      ...bench.deps(),
      stdout: new TtyRecorder(),
      stderr: new Recorder(),
    });
    expect(onTty).toBe(2);
    expect((await bench.berth(["bundle", "alice", "-o", "-", "--json"])).code).toBe(2);
    expect(bench.api.seen).toEqual([]);
  });

  it("passes on that the sandbox is not ready, and writes nothing", async () => {
    bench.api.refusals.set("GET /sandboxes/aaaaaaa1/bundle", {
      code: "SANDBOX_NOT_READY",
      status: 409,
      detail: "it is being made",
    });
    const { code, stderr } = await bench.berth(["bundle", "alice"]);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: "berth: it is being made (SANDBOX_NOT_READY)\n",
    });
    expect(await readdir(bench.dir)).toEqual(["berth.sock"]);
  });
});

describe("berth env", () => {
  it("prints lines to eval, with the bundle in ~/.berth for the user alone", async () => {
    const { code, stdout, stderr } = await bench.berth(["env", "alice"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout.split("\n")).toEqual([
      "export DOCKER_HOST='tcp://10.83.0.2:20000'",
      "export DOCKER_TLS_VERIFY='1'",
      `export DOCKER_CERT_PATH='${at("home/.berth/alice-default")}'`,
      "unset DOCKER_CONTEXT",
      '# To use them: eval "$(berth env alice)"',
      "",
    ]);
    expect(await modeOf(at("home/.berth"))).toBe("700");
    expect(await modeOf(at("home/.berth/alice-default"))).toBe("700");
  });

  it("speaks PowerShell, and JSON", async () => {
    const { stdout } = await bench.berth(["env", "alice", "--shell", "powershell"]);
    expect(stdout).toContain("$Env:DOCKER_HOST = 'tcp://10.83.0.2:20000'\n");
    const document: unknown = JSON.parse((await bench.berth(["env", "alice", "--json"])).stdout);
    expect(document).toMatchObject({ sandbox: "aaaaaaa1", env: { DOCKER_TLS_VERIFY: "1" } });
  });

  it("refuses a shell it does not speak", async () => {
    expect((await bench.berth(["env", "alice", "--shell", "csh"])).code).toBe(2);
  });
});
