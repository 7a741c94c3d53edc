import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startTimeOf } from "../../../src/cli/connection.js";
import type { CliDeps } from "../../../src/cli/deps.js";
import type { DoctorReport, LocalVerbs } from "../../../src/cli/local.js";
import { BerthError } from "../../../src/lib/errors.js";
import { Bench, Recorder, unusedLocal } from "./support.js";

let bench: Bench;
beforeEach(async () => {
  bench = await Bench.start();
});
afterEach(() => bench[Symbol.asyncDispose]());

const image = { tag: "berth-dind:1", built: true, sizeBytes: 400 * 1024 ** 2, seconds: 23.4 };

function local(verbs: Partial<LocalVerbs>): Partial<CliDeps> {
  return { local: { ...unusedLocal, ...verbs } };
}

const report: DoctorReport = {
  ok: false,
  version: "1.2.3",
  url: "http://10.83.0.2:7440",
  socket: "/run/berth/berth.sock",
  host: "embedded",
  findings: [
    { check: "cgroups", status: "ok", what: "version 2" },
    {
      check: "clock",
      status: "warning",
      what: "nothing keeps it right",
      why: "certificates of a day hold from ten minutes before they are made, and so many words do not fit a line",
      fix: "timedatectl set-ntp true\ntimedatectl timesync-status",
    },
    {
      check: "image",
      status: "failure",
      what: "is missing",
      why: "sandboxes are made of it",
      fix: "berth image build",
    },
  ],
  config: { listen: { port: 7440 } },
};

describe("berth doctor", () => {
  it("exits 1 when something must be mended, and says why and how", async () => {
    const doctor = () => Promise.resolve(report);
    const { code, stdout } = await bench.berth(["doctor"], local({ doctor }));
    expect(code).toBe(1);
    expect(stdout).toMatchInlineSnapshot(`
      "berth 1.2.3, embedded host, page and API at http://10.83.0.2:7440, socket /run/berth/berth.sock

      Configuration in effect:
        listen:
          port: 7440

      ok    cgroups  version 2

      WARN  clock: nothing keeps it right
            why: certificates of a day hold from ten minutes before they are made, and so many words do
                 not fit a line
            fix: timedatectl set-ntp true
                 timedatectl timesync-status

      FAIL  image: is missing
            why: sandboxes are made of it
            fix: berth image build

      1 failure to mend, 1 warning.
      "
    `);
  });

  it("hands on the number of sandboxes, and takes none that is no number", async () => {
    const asked: unknown[] = [];
    const doctor: LocalVerbs["doctor"] = (options) => {
      asked.push(options);
      return Promise.resolve({ ...report, ok: true });
    };
    const words = ["doctor", "--sandboxes", "40", "--config", "b.yaml"];
    expect((await bench.berth(words, local({ doctor }))).code).toBe(0);
    expect(asked).toEqual([{ sandboxes: 40, config: "b.yaml" }]);
    const wrong = await bench.berth(["doctor", "--sandboxes", "many"], local({ doctor }));
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain("It must be a number from 1 to 99999.");
  });

  it("ends the process once all is written, whatever that still waits for", async () => {
    const ended: number[] = [];
    const stdout = new Recorder();
    const { code } = await bench.berth(["doctor", "--json"], {
      ...local({ doctor: () => Promise.resolve(report) }),
      stdout,
      endWithin: () => ended.push(stdout.text.length),
    });
    expect(code).toBe(1);
    expect(ended).toEqual([stdout.text.length]);
    expect(JSON.parse(stdout.text)).toEqual(report);
  });

  it("prints the whole report with --json", async () => {
    const doctor = () => Promise.resolve({ ...report, ok: true });
    const { code, stdout } = await bench.berth(["doctor", "--json"], local({ doctor }));
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ ...report, ok: true });
  });
});

describe("berth image", () => {
  it("build tells each phase once on stderr and the tag on stdout", async () => {
    const verbs: LocalVerbs["image"] = {
      ...unusedLocal.image,
      build: (options, tell) => {
        expect(options).toEqual({ rebuild: true, mirror: "http://deb.example.org/debian" });
        tell({ phase: "root", message: "installing", seconds: 0.2 });
        tell({ phase: "root", message: "installing", bytes: 1024, seconds: 9 });
        tell({ phase: "import", message: "into the engine", seconds: 21 });
        return Promise.resolve(image);
      },
    };
    const words = ["image", "build", "--rebuild", "--mirror", "http://deb.example.org/debian"];
    expect(await bench.berth(words, local({ image: verbs }))).toEqual({
      code: 0,
      stdout: "berth-dind:1 built in 23.4 s, 400 MiB\n",
      stderr: "    0.2 s  root: installing\n   21.0 s  import: into the engine\n",
    });
  });

  it("build stops at Ctrl-C with exit code 130", async () => {
    const verbs: LocalVerbs["image"] = {
      ...unusedLocal.image,
      build: (_options, _tell, signal) => {
        bench.interrupt();
        return Promise.reject(signal.reason as Error);
      },
    };
    const { code } = await bench.berth(["image", "build"], local({ image: verbs }));
    expect(code).toBe(130);
    expect(bench.listeners).toBe(0);
  });

  it("list and remove", async () => {
    const verbs: LocalVerbs["image"] = {
      ...unusedLocal.image,
      list: () =>
        Promise.resolve({
          images: [
            {
              tag: "berth-dind:1",
              id: "sha256:0123456789abcdef",
              sizeBytes: image.sizeBytes,
              createdAt: "2025-06-01T10:00:00Z",
              current: true,
              inUse: true,
              images: ["alpine:3"],
            },
          ],
        }),
      remove: (tag) => Promise.reject(new BerthError("SANDBOX_BUSY", `${tag} is in use`)),
    };
    const { stdout } = await bench.berth(["image", "list"], local({ image: verbs }));
    expect(stdout).toContain(
      "berth-dind:1  0123456789ab  400 MiB  2025-06-01T10:00:00Z  current, in use  alpine:3\n",
    );
    const removal = await bench.berth(["image", "remove", "berth-dind:1"], local({ image: verbs }));
    expect(removal.code).toBe(1);
    expect(removal.stderr).toContain("berth-dind:1 is in use");
  });
});

describe("berth reap", () => {
  const action = {
    act: "remove sandbox",
    thing: "aaaaaaa1 (alice/default)",
    why: "expired 3m ago",
  };

  it("asks the daemon", async () => {
    bench.api.reaped = [action];
    const { code, stdout } = await bench.berth(["reap", "--dry-run"]);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: "would remove sandbox aaaaaaa1 (alice/default): expired 3m ago\n",
    });
  });

  it("exits 1 when something could not be done", async () => {
    bench.api.reaped = [{ ...action, error: "the disk is busy" }];
    const { code, stdout } = await bench.berth(["reap"]);
    expect(code).toBe(1);
    expect(stdout).toContain("FAILED: the disk is busy");
  });

  it("does it here when the daemon is down, but not in place of the one at BERTH_URL", async () => {
    await bench.api.close();
    const reap: LocalVerbs["reap"] = ({ dryRun }) => Promise.resolve({ dryRun, actions: [] });
    const { code, stdout } = await bench.berth(["reap", "--json"], local({ reap }));
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ dryRun: false, actions: [] });
    const elsewhere = { ...bench.deps().connection, url: "http://127.0.0.1:1" };
    expect((await bench.berth(["reap"], { connection: elsewhere })).code).toBe(1);
  });
});

describe("berth clear-host", () => {
  const removal = { act: "remove sandbox", thing: "aaaaaaa1 (alice/default)", why: "all go" };

  it("wants a word before it removes all data, and none for looking", async () => {
    const asked: unknown[] = [];
    const clearHost: LocalVerbs["clearHost"] = (options) => {
      asked.push(options);
      return Promise.resolve({ dryRun: options.dryRun, actions: [removal] });
    };
    const refused = await bench.berth(["clear-host", "--purge"], local({ clearHost }));
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("--yes");
    expect(asked).toEqual([]);
    const look = ["clear-host", "--purge", "--dry-run"];
    expect((await bench.berth(look, local({ clearHost }))).stdout).toBe(
      "would remove sandbox aaaaaaa1 (alice/default): all go\n",
    );
    const done = await bench.berth(["clear-host", "--purge", "--yes"], local({ clearHost }));
    expect(done).toMatchObject({ code: 0 });
    expect(asked).toEqual([
      { purge: true, dryRun: true },
      { purge: true, dryRun: false },
    ]);
  });

  it("exits 1 when something could not be removed, or it is refused", async () => {
    const failing = () =>
      Promise.resolve({ dryRun: false, actions: [{ ...removal, error: "the disk is busy" }] });
    expect((await bench.berth(["clear-host"], local({ clearHost: failing }))).code).toBe(1);
    const refusing = () => Promise.reject(new BerthError("SANDBOX_EXISTS", "there are sandboxes"));
    const said = await bench.berth(["clear-host"], local({ clearHost: refusing }));
    expect(said).toMatchObject({ code: 1, stdout: "" });
    expect(said.stderr).toContain("there are sandboxes (SANDBOX_EXISTS)");
  });
});

describe("with the embedded host up and no daemon of this machine's own", () => {
  let calls: string[][];
  let inHost: Partial<CliDeps>;
  beforeEach(async () => {
    // Our own process stands in for the host's PID 1.
    const stat = await readFile("/proc/self/stat", "utf8");
    const proc = path.join(bench.dir, "proc");
    await mkdir(path.join(proc, "4242"), { recursive: true });
    await writeFile(path.join(proc, "4242/stat"), stat);
    const embeddedStateFile = path.join(bench.dir, "state.json");
    const state = { pid: 4242, startTime: startTimeOf(stat), address: "10.83.0.2", root: "/" };
    await writeFile(embeddedStateFile, JSON.stringify(state));
    calls = [];
    inHost = {
      connection: {
        socket: path.join(bench.dir, "no-run-dir/berth.sock"),
        embeddedStateFile,
        procDir: proc,
      },
      hostExec: (argv) => {
        calls.push(argv);
        return Promise.resolve(7);
      },
    };
  });

  it.each(["serve", "doctor --json", "image build --rebuild", "image list", "reap --dry-run"])(
    "`berth %s` runs in it and gives its exit code",
    async (line) => {
      expect(await bench.berth(line.split(" "), inHost)).toEqual({
        code: 7,
        stdout: "",
        stderr: "",
      });
      expect(calls).toEqual([line.split(" ")]);
    },
  );

  it("a verb of the API goes to the daemon in it, and says when that is down", async () => {
    const { code, stderr } = await bench.berth(["list"], inHost);
    expect(code).toBe(1);
    expect(stderr).toContain("the embedded host is up, but the Berth daemon in it does not answer");
    expect(calls).toEqual([]);
  });

  it("runs here when this machine has a daemon's directory", async () => {
    const socket = path.join(bench.dir, "berth.sock");
    const connection = { ...bench.deps().connection, ...inHost.connection, socket };
    const doctor = () => Promise.resolve({ ...report, ok: true });
    const outcome = await bench.berth(["doctor"], { ...inHost, ...local({ doctor }), connection });
    expect(outcome.code).toBe(0);
    expect(calls).toEqual([]);
  });
});
