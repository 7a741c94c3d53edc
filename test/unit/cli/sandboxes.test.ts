import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Incident } from "../../../src/lib/contract/sandbox.js";
import { Bench, now } from "./support.js";

let bench: Bench;
beforeEach(async () => {
  bench = await Bench.start();
});
afterEach(() => bench[Symbol.asyncDispose]());

describe("berth list", () => {
  it("aligns its columns", async () => {
    bench.api.add("aaaaaaa1", "alice");
    bench.api.add("bbbbbbb2", "bob.builder", "ci", {
      state: "stopped",
      expiresAt: "2025-06-01T11:59:59.900Z",
    });
    bench.api.add("ccccccc3", "carol", "default", { expiresAt: "2025-06-01T09:00:00.000Z" });
    const { code, stdout, stderr } = await bench.berth(["list"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatchInlineSnapshot(`
      "USER         NAME     ID        STATE    EXPIRES IN  DOCKER HOST            LIMITS
      alice        default  aaaaaaa1  ready    2h          tcp://10.83.0.2:20000  1 GiB memory, 1.5 cpus, 512 pids, 10 GiB disk
      bob.builder  ci       bbbbbbb2  stopped  2h          tcp://10.83.0.2:20010  1 GiB memory, 1.5 cpus, 512 pids, 10 GiB disk
      carol        default  ccccccc3  ready    expired     tcp://10.83.0.2:20020  1 GiB memory, 1.5 cpus, 512 pids, 10 GiB disk
      "
    `);
  });

  it("keeps stdout empty when there are none, and says on stderr how to make one", async () => {
    const { stdout, stderr } = await bench.berth(["list", "--user", "alice"]);
    expect(stdout).toBe("");
    expect(stderr).toBe("alice has no sandboxes. Make one with: berth create alice\n");
  });

  it("prints the API's own document with --json, also when it is empty", async () => {
    expect(JSON.parse((await bench.berth(["list", "--json"])).stdout)).toEqual({ sandboxes: [] });
    const alice = bench.api.add("aaaaaaa1", "alice");
    bench.api.add("bbbbbbb2", "bob");
    const { stdout, stderr } = await bench.berth(["--json", "list", "--user", "alice"]);
    expect(JSON.parse(stdout)).toEqual({ sandboxes: [alice] });
    expect(stderr).toBe("");
  });
});

describe("berth show", () => {
  it("tells the state, the address, the limits and what is used of them", async () => {
    bench.api.add("aaaaaaa1", "alice", "default", { warning: "its user can become root" });
    const { stdout } = await bench.berth(["show", "alice"]);
    expect(stdout).toMatchInlineSnapshot(`
      "alice/default is ready
        id           aaaaaaa1
        docker host  tcp://10.83.0.2:20000
        expires      in 2h, at 2025-06-01 12:00 UTC
        limits       1 GiB memory, 1.5 cpus, 512 pids, 10 GiB disk
        ports        21000-21009, as in: docker run -p 21000:80 ...
        profile      default (isolation privileged)
        slice        berth-alice.slice
        created      2025-06-01T10:00:00.000Z
        memory used  256 MiB of 1 GiB (25 %)
        cpu used     3.2 s since the start
        pids used    21 of 512
        disk used    1 GiB of 10 GiB (10 %)

      Mind: its user can become root
      "
    `);
  });

  it("tells what limits did to it, the newest last, and that it is waiting", async () => {
    const ago = (minutes: number) => new Date(now.getTime() - minutes * 60_000).toISOString();
    const killed =
      "tail was killed at 1.0 of 1.0 GiB memory; for more: berth resize alice/default --memory 2G";
    const incidents = [9, 8, 7, 6, 5, 4].map((minutes): Incident => {
      return { kind: "pids", text: `crowd ${minutes}`, at: ago(minutes), count: 1 };
    });
    incidents.push({ kind: "memory", text: killed, at: ago(2), count: 3 });
    incidents.push({ kind: "memory", text: "x\u001b[31m was killed", at: ago(0), count: 1 });
    const alice = bench.api.add("aaaaaaa1", "alice", "default", { incidents });
    bench.api.usage = {
      cpu: { usedSeconds: 3.21, limitCpus: 1.5, throttledPercent: 43 },
      disk: { usedBytes: 1024 ** 3, limitBytes: 1_181_116_006, freeBytes: 0, freeInodes: 0 },
      pressure: {
        cpu: { somePercent: 0.4, fullPercent: 0 },
        memory: { somePercent: 12.4, fullPercent: 2 },
        io: { somePercent: 3, fullPercent: 0 },
      },
    };
    const { stdout } = await bench.berth(["show", "alice"]);
    expect(stdout).toContain("3.2 s since the start, waited for its limit 43 % of the last minute");
    expect(stdout).toContain("1 GiB of 1.1 GiB (100 %)");
    expect(stdout).toContain("waited for   memory 12 %, disk 3 % of the last minute");
    const lines = stdout.split("\n").filter((line) => line.includes("happened"));
    expect(lines).toEqual([
      "  happened     6m ago  crowd 6",
      "  happened     5m ago  crowd 5",
      "  happened     4m ago  crowd 4",
      `  happened     2m ago  ${killed} (3 times)`,
      "  happened     1s ago  x[31m was killed",
    ]);
    const { stdout: json } = await bench.berth(["show", "alice", "--json"]);
    expect(JSON.parse(json)).toMatchObject({ incidents: alice.incidents });
  });

  it("does without usage when the sandbox does not run", async () => {
    const alice = bench.api.add("aaaaaaa1", "alice", "default", {
      state: "stopped",
      reason: "oom",
    });
    bench.api.refusals.set("GET /sandboxes/aaaaaaa1/usage", {
      code: "SANDBOX_NOT_READY",
      status: 409,
      detail: "it is stopped",
    });
    expect((await bench.berth(["show", "alice"])).stdout).toContain(
      "alice/default is stopped: oom",
    );
    expect(JSON.parse((await bench.berth(["show", "alice", "--json"])).stdout)).toEqual(alice);
  });

  it("finds an id, a user and user/name", async () => {
    bench.api.add("aaaaaaa1", "alice");
    bench.api.add("aaaaaaa2", "alice", "ci");
    const idOf = async (reference: string) => {
      const { stdout } = await bench.berth(["show", reference, "--json"]);
      return (JSON.parse(stdout) as { id: string }).id;
    };
    expect(await idOf("aaaaaaa2")).toBe("aaaaaaa2");
    expect(await idOf("alice/ci")).toBe("aaaaaaa2");
    expect(await idOf("alice")).toBe("aaaaaaa1");
  });

  it("exits 1 with SANDBOX_NOT_FOUND for one that is not there", async () => {
    const { code, stdout, stderr } = await bench.berth(["show", "nobody", "--json"]);
    expect(code).toBe(1);
    const message = "no sandbox nobody; `berth list` shows those there are";
    expect(JSON.parse(stdout)).toEqual({ error: { code: "SANDBOX_NOT_FOUND", message } });
    expect(stderr).toBe(`berth: ${message} (SANDBOX_NOT_FOUND)\n`);
  });
});

describe("berth extend", () => {
  it("adds time and says when the sandbox ends now", async () => {
    bench.api.add("aaaaaaa1", "alice");
    const { code, stdout } = await bench.berth(["extend", "alice", "--ttl", "4h"]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "alice/default expires in 6h\n" });
    expect(bench.api.seen.at(-1)).toMatchObject({ body: { ttl: "4h" } });
  });

  it("is refused by the server with exit code 1 when it asks for too much", async () => {
    bench.api.add("aaaaaaa1", "alice");
    bench.api.refusals.set("POST /sandboxes/aaaaaaa1/extend", {
      code: "TTL_TOO_LONG",
      status: 400,
      detail: "7d is the most",
    });
    const { code, stderr } = await bench.berth(["extend", "alice", "--ttl", "400h"]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: "berth: 7d is the most (TTL_TOO_LONG)\n" });
  });
});

describe("berth resize", () => {
  const GiB = 1024 ** 3;

  it("changes what is given, and says what it was before", async () => {
    bench.api.add("aaaaaaa1", "alice");
    const words = ["resize", "alice", "--memory", "1.5G", "--pids", "256", "--disk", "20G"];
    expect(await bench.berth(words)).toEqual({
      code: 0,
      stdout: "alice/default: memory 1G -> 1536M, pids 512 -> 256, disk 10G -> 20G\n",
      stderr: "",
    });
    expect(bench.api.seen.at(-1)).toMatchObject({
      method: "POST",
      path: "/sandboxes/aaaaaaa1/resize",
      body: { memory: "1.5G", pids: "256", disk: "20G" },
    });
  });

  it("says so when nothing is different", async () => {
    bench.api.add("aaaaaaa1", "alice");
    const { stdout } = await bench.berth(["resize", "alice", "--cpus", "1.5"]);
    expect(stdout).toBe(
      "alice/default: unchanged, 1 GiB memory, 1.5 cpus, 512 pids, 10 GiB disk\n",
    );
  });

  it("prints the sandbox with --json", async () => {
    const alice = bench.api.add("aaaaaaa1", "alice");
    const { stdout } = await bench.berth(["resize", "alice", "--memory", "2G", "--json"]);
    const limits = { ...alice.limits, memoryBytes: 2 * GiB };
    expect(JSON.parse(stdout)).toEqual({ ...alice, limits });
  });

  it("is refused by the server with exit code 1 and the way out", async () => {
    bench.api.add("aaaaaaa1", "alice");
    const detail = "disk 5G is less than the 10G it has, and a disk only grows";
    const refusal = { code: "LIMIT_OUT_OF_RANGE", status: 400, detail } as const;
    bench.api.refusals.set("POST /sandboxes/aaaaaaa1/resize", refusal);
    const { code, stderr } = await bench.berth(["resize", "alice", "--disk", "5G"]);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `berth: ${detail} (LIMIT_OUT_OF_RANGE)\n`,
    });
  });
});

describe("berth remove", () => {
  it("removes several, each meant in its own way, and one meant twice once", async () => {
    bench.api.add("aaaaaaa1", "alice");
    bench.api.add("aaaaaaa2", "alice", "ci");
    bench.api.add("bbbbbbb1", "bob");
    const { code, stdout } = await bench.berth(["remove", "alice", "alice/default", "bob"]);
    expect(code).toBe(0);
    expect(stdout).toBe("removed alice/default (aaaaaaa1)\nremoved bob/default (bbbbbbb1)\n");
    expect([...bench.api.sandboxes.keys()]).toEqual(["aaaaaaa2"]);
  });

  it("goes on after one that fails, and exits 1", async () => {
    bench.api.add("aaaaaaa1", "alice");
    bench.api.add("bbbbbbb1", "bob");
    const refusal = { code: "SANDBOX_BUSY", status: 409, detail: "alice's is busy" } as const;
    bench.api.refusals.set("DELETE /sandboxes/aaaaaaa1", refusal);
    const { code, stdout, stderr } = await bench.berth(["remove", "--json", "alice", "zoe", "bob"]);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toEqual({
      removed: ["bbbbbbb1"],
      error: {
        code: "SANDBOX_NOT_FOUND",
        message: "no sandbox zoe; `berth list` shows those there are",
        errors: [
          { path: "zoe", message: "no sandbox zoe; `berth list` shows those there are" },
          { path: "aaaaaaa1", message: "alice's is busy" },
        ],
      },
    });
    expect(stderr).toContain("berth: alice's is busy (SANDBOX_BUSY)\n");
  });

  it("prints the ids with --json", async () => {
    bench.api.add("aaaaaaa1", "alice");
    const { stdout, stderr } = await bench.berth(["remove", "alice", "--json"]);
    expect(JSON.parse(stdout)).toEqual({ removed: ["aaaaaaa1"] });
    expect(stderr).toBe("");
  });
});
