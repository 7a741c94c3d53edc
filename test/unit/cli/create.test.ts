import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Bench, TtyRecorder, Recorder } from "./support.js";
import { runCli } from "../../../src/cli/run.js";

let bench: Bench;
beforeEach(async () => {
  bench = await Bench.start();
});
afterEach(() => bench[Symbol.asyncDispose]());

describe("berth create", () => {
  it("shows each step on stderr and the sandbox with what comes next on stdout", async () => {
    const { code, stdout, stderr } = await bench.berth(["create", "alice"]);
    expect({ code, stdout, stderr }).toMatchInlineSnapshot(`
      {
        "code": 0,
        "stderr": "  slice        2 ms
        certificates 12 ms
        disk         12 ms
        preload      12 ms
        network      12 ms
        container    12 ms
        start        12 ms
        door         12 ms
        ready        12 ms
        check        12 ms
      ",
        "stdout": "alice/default is ready
        id           new00001
        docker host  tcp://10.83.0.2:20000
        expires      in 2h, at 2025-06-01 12:00 UTC
        limits       1 GiB memory, 1.5 cpus, 512 pids, 10 GiB disk
        ports        21000-21009, as in: docker run -p 21000:80 ...
        profile      default (isolation privileged)

      Next, a Docker context of its own:
        berth bundle alice -o ./alice
        docker context import alice ./alice/berth.dockercontext
        docker --context alice run --rm hello-world
      or just this shell:
        eval "$(berth env alice)"
      and when it is no longer needed:
        berth remove alice
      ",
      }
    `);
  });

  it("sends what was asked for as it was typed, and asks not to be kept waiting", async () => {
    const words = "create alice --name ci --profile big --ttl 2h --memory 1.5G --cpus 1.5";
    await bench.berth([...words.split(" "), "--pids", "512", "--disk", "10G"]);
    const [request] = bench.api.seen;
    expect(request).toMatchObject({
      method: "POST",
      path: "/sandboxes",
      headers: { prefer: "respond-async" },
      body: {
        user: "alice",
        name: "ci",
        profile: "big",
        ttl: "2h",
        memory: "1.5G",
        cpus: "1.5",
        pids: "512",
        disk: "10G",
      },
    });
  });

  it("prints the sandbox as the one document with --json", async () => {
    const { code, stdout } = await bench.berth(["create", "alice", "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ id: "new00001", user: "alice", state: "ready" });
  });

  it("keeps one changing line on a terminal", async () => {
    const stderr = new TtyRecorder();
    const code = await runCli(["create", "alice"], {
      ...bench.deps(),
      stdout: new Recorder(),
      stderr,
    });
    expect(code).toBe(0);
    expect(stderr.text).toContain("\r\u001b[K  slice ...\r\u001b[K  slice        2 ms\n");
  });

  it("reports why a creation failed with the server's code, and nothing of it steers a terminal", async () => {
    bench.api.course = "fails";
    const { code, stdout, stderr } = await bench.berth(["create", "alice"]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toBe(
      "  slice        2 ms\n" +
        "  start        failed 30000 ms\n" +
        "berth: the engine of new00001 did not start: [31mno space left on device (ENGINE_START_FAILED)\n",
    );
  });

  it("reports a refusal, such as a second sandbox of the name", async () => {
    bench.api.refusals.set("POST /sandboxes", {
      code: "SANDBOX_EXISTS",
      status: 409,
      detail: "alice has a sandbox named default",
    });
    const { code, stdout } = await bench.berth(["create", "alice", "--json"]);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toEqual({
      error: { code: "SANDBOX_EXISTS", message: "alice has a sandbox named default" },
    });
  });
});

describe("berth create when the daemon goes away", () => {
  it("says that it died, and what becomes of the sandbox", async () => {
    bench.api.course = "dies";
    const { code, stderr } = await bench.berth(["create", "alice"]);
    expect(code).toBe(1);
    expect(stderr).toContain("the daemon went away while it made new00001");
    expect(stderr).toContain("(DAEMON_UNREACHABLE)");
  });

  it("says that the sandbox is gone when the daemon came back without it", async () => {
    bench.api.course = "restarts";
    const { code, stderr } = await bench.berth(["create", "alice"]);
    expect(code).toBe(1);
    expect(stderr).toContain("new00001 was gone before it was ready");
    expect(stderr).toContain("(CREATE_CANCELLED)");
  });

  it("succeeds when only the events were lost", async () => {
    bench.api.course = "loses events";
    const { code, stdout } = await bench.berth(["create", "alice"]);
    expect(code).toBe(0);
    expect(stdout).toContain("alice/default is ready");
  });
});

describe("Ctrl-C during berth create", () => {
  beforeEach(() => {
    bench.api.course = "hangs";
  });

  it("removes what was made, says so, and exits 130", async () => {
    bench.api.onFollowed = () => {
      bench.interrupt();
    };
    const { code, stdout, stderr } = await bench.berth(["create", "alice"]);
    expect({ code, stdout }).toEqual({ code: 130, stdout: "" });
    expect(stderr).toContain("alice (new00001) was taken back");
    expect([...bench.api.sandboxes.keys()]).toEqual([]);
    expect(bench.listeners).toBe(0);
  });

  it("prints the interruption as the one document with --json", async () => {
    bench.api.onFollowed = () => {
      bench.interrupt();
    };
    const { code, stdout } = await bench.berth(["create", "alice", "--json"]);
    expect(code).toBe(130);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "INTERRUPTED" } });
  });

  it("names what may be left when it cannot be removed", async () => {
    bench.api.refusals.set("DELETE /sandboxes/new00001", {
      code: "SANDBOX_BUSY",
      status: 409,
      detail: "it is being made",
    });
    bench.api.onFollowed = () => {
      bench.interrupt();
    };
    const { code, stderr } = await bench.berth(["create", "alice"]);
    expect(code).toBe(130);
    expect(stderr).toContain("run `berth remove new00001`");
  });

  it("gives up the clean-up, too, when it comes a second time", async () => {
    bench.api.silences.set("DELETE /sandboxes/new00001", () => {
      bench.interrupt();
    });
    bench.api.onFollowed = () => {
      bench.interrupt();
    };
    const { code, stderr } = await bench.berth(["create", "alice"]);
    expect(code).toBe(130);
    expect(stderr).toContain("may still be there (interrupted again)");
  });

  it("twice ends the wait for a daemon that does not answer", async () => {
    bench.api.silences.set("POST /sandboxes", () => {
      bench.interrupt();
      bench.interrupt();
    });
    const { code, stderr } = await bench.berth(["create", "alice"]);
    expect(code).toBe(130);
    expect(stderr).toContain("`berth list` shows what is there");
  });
});
