import { execa } from "execa";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeTree } from "./tree.js";

// scripts/lib/install.sh on a root of the test's own, with a systemd that does what it is told.

const lib = join(import.meta.dirname, "../../../scripts/lib");

let dir: string;
let root: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "berth-install-"));
  root = join(dir, "root");
  await mkdir(join(root, "usr/local/bin"), { recursive: true });
});
afterEach(() => rm(dir, { recursive: true }));

/** A release as small as it can be. */
function release(version: string, files: Record<string, string> = {}): Promise<string> {
  return writeTree(join(dir, `berth-${version}`), {
    RELEASE: "",
    "bin/berth": `#!/bin/sh\n# ${version}`,
    "dist/main.js": "",
    "slices/berth.service": "[Unit]",
    "package.json": `{\n  "version": "${version}",\n}\n`,
    ...files,
  });
}

/** Everything around an installation that is not its order of steps; `asked` has what it did outside of its files. */
const stubs = () => `
  INSTALL_ROOT=${root}; DOWNGRADE=no; APT_INSTALLED=()
  asked() { echo "$*" >>${dir}/asked; }
  systemctl() { [[ $1 == show ]] || asked "$*"; }
  journalctl() { :; }
  install_dependencies() { :; }
  ask_paths() { DATA_DIR=${dir}/data; }
  check_engine() { :; }
  say_installed() { :; }
  install_step() { asked "$1"; [[ $1 != keep-records ]] || mkdir "$3"; }
  daemon_comes_up() { asked daemon; }`;

async function shell(repo: string, lines: string) {
  const script = `set -Eeuo pipefail; LIB=${lib}; REPO=${repo}
    for part in common node lock deploy build this-machine install; do . $LIB/$part.sh; done
    ${stubs()}\n${lines}`;
  const { exitCode, signal, all } = await execa("bash", ["-c", script], {
    reject: false,
    all: true,
  });
  return { code: exitCode ?? signal, said: all };
}

const asked = async () => (await readFile(join(dir, "asked"), "utf8")).trim().split("\n");
const version = async () => {
  const text = await readFile(join(root, "opt/berth/package.json"), "utf8");
  return /"version": "(.*)"/.exec(text)?.[1];
};
const inOpt = () => readdir(join(root, "opt"));

/** Version 1 installed, and nothing asked yet. */
async function first(): Promise<void> {
  expect(await shell(await release("1.0.0"), "install_berth")).toEqual({ code: 0, said: "" });
  await rm(join(dir, "asked"));
}

/** A function of the scripts that fails when it is first called. */
const failsOnce = (name: string) =>
  `eval "$(declare -f ${name} | sed '1s/${name}/really/')"; ${name}() { if [[ -n \${failed:-} ]]; then really "$@"; else failed=yes; false; fi; }`;

describe.skipIf(process.getuid?.() !== 0)("an installation", () => {
  it("keeps the records of the version before while no daemon writes any, and only until it is done", async () => {
    await first();
    expect(await shell(await release("2.0.0"), "install_berth")).toEqual({ code: 0, said: "" });
    expect(await asked()).toEqual([
      "stop berth-reap.timer berth-reap.service",
      "daemon-reload",
      "enable --quiet berth.service berth-reap.timer",
      "stop berth.service",
      "keep-records",
      "daemon",
      "start berth-reap.timer",
    ]);
    expect(await version()).toBe("2.0.0");
    expect(await inOpt()).toEqual(["berth"]);
  });

  it("goes back, with the records, before the daemon of before is started", async () => {
    await first();
    const comesUpOnce = `daemon_comes_up() { asked daemon; DAEMON_FAULT="it did not"; [[ -n \${tried:-} ]] || ! tried=yes; }`;
    const { code, said } = await shell(await release("2.0.0"), `${comesUpOnce}; install_berth`);
    expect(said).toContain("The one before, 1.0.0, is in place again and answers");
    expect(said).not.toContain("broken off");
    expect(code).toBe(1);
    expect((await asked()).slice(3)).toEqual([
      ...["stop berth.service", "keep-records", "daemon"],
      ...["stop berth.service", "put-records-back", "daemon-reload", "daemon"],
      "start berth-reap.timer",
    ]);
    expect(await version()).toBe("1.0.0");
    expect(await inOpt()).toEqual(["berth"]);
  });

  it.each([
    ["put_configuration() { false; }", 1, "its daemon runs as before", false],
    ["put_configuration() { kill -INT $$; sleep 1; }", "SIGINT", "runs as before", false],
    [failsOnce("outside_prune"), 1, "its daemon runs as before", false],
    ["install_step() { asked step; [[ $1 != keep-records ]]; }", 1, "is being started", true],
    ["daemon_comes_up() { kill -TERM $$; sleep 1; }", "SIGTERM", "is being started", true],
  ])("that ends by %s is undone, and says so", async (broken, end, message, isStarted) => {
    await first();
    const { code, said } = await shell(await release("2.0.0"), `${broken}; install_berth`);
    expect(said).toContain("broken off: the Berth before is in place again");
    expect(said).toContain(message);
    expect(code).toBe(end);
    expect((await asked()).at(-1)).toBe("start berth-reap.timer");
    expect((await asked()).includes("start --no-block berth.service")).toBe(isStarted);
    expect(await version()).toBe("1.0.0");
    expect(await inOpt()).toEqual(["berth"]);
  });

  it("that is the first and is broken off says what is there, and can be done again", async () => {
    const tree = await release("1.0.0");
    const broken = await shell(tree, "put_configuration() { false; }; install_berth");
    expect(broken).toMatchObject({ code: 1 });
    expect(broken.said).toContain("nobody has seen yet whether it works");
    expect(await shell(tree, "install_berth")).toEqual({ code: 0, said: "" });
  });

  it("that finds something in its way leaves all as it is", async () => {
    await writeFile(join(root, "usr/local/bin/berth"), "somebody's");
    const refused = await shell(await release("1.0.0"), "install_berth");
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.said).not.toContain("broken off");
    expect(await asked()).toEqual([
      "stop berth-reap.timer berth-reap.service",
      "start berth-reap.timer",
    ]);
  });

  it("tells on a dry run what goes as well, of one from before there was a list too, and makes nothing", async () => {
    const old = await release("1.0.0", { "slices/berth-old.timer": "[Timer]" });
    await shell(old, "install_berth");
    await rm(join(root, "opt/berth/.installed"));
    const before = await inOpt();
    const { code, said } = await shell(
      await release("2.0.0"),
      "has_package() { :; }; plan_install",
    );
    expect(code).toBe(0);
    expect(said).toContain("in place of 1.0.0");
    expect(said).toContain("  remove the file /etc/systemd/system/berth-old.timer");
    expect(said).not.toContain("remove the link");
    expect(await inOpt()).toEqual(before);
  });
});

describe.skipIf(process.getuid?.() !== 0)("an older version", () => {
  const versions = (sandboxes: number, users: number) => ({
    "dist/record-versions.json": JSON.stringify({ sandboxes, users }, null, 2) + "\n",
  });

  it.each([
    ["1.0.0-rc.1", "1.0.0", "which may not understand"],
    ["1.0.0", "1.0.0-rc.1", ""],
    ["0.9.0", "0.10.0", "which may not understand"],
    ["1.0.0", "1.0.0", ""],
  ])("%s over %s: %j", async (ours, there, message) => {
    await shell(await release(there), "install_berth");
    await rm(join(dir, `berth-${there}`), { recursive: true });
    const { code, said } = await shell(await release(ours), "check_version");
    expect(code).toBe(message === "" ? 0 : 1);
    expect(said).toContain(message);
    expect(await shell(join(dir, `berth-${ours}`), "DOWNGRADE=yes; check_version")).toMatchObject({
      code: 0,
    });
  });

  it("is known where a kill left the one before beside its place", async () => {
    await shell(await release("2.0.0"), "install_berth");
    await shell("", `mv ${root}/opt/berth ${root}/opt/berth.old`);
    expect(await shell(await release("1.0.0"), "check_version")).toMatchObject({ code: 1 });
  });

  it("is also known by its records, whatever it is called", async () => {
    await shell(await release("1.0.0", versions(3, 2)), "install_berth");
    const check = async (sandboxes: number, users: number) => {
      const tree = await release("2.0.0", versions(sandboxes, users));
      return shell(tree, "check_records");
    };
    expect(await check(3, 2)).toEqual({ code: 0, said: "" });
    const refused = await check(3, 1);
    expect(refused.code).toBe(1);
    expect(refused.said).toContain(
      "records of users in version 2, and this one knows none above 1",
    );
    await shell("", `rm ${root}/opt/berth/dist/record-versions.json`);
    expect(await check(1, 1)).toEqual({ code: 0, said: "" });
  });
});

describe("a daemon", () => {
  /** Restarted seven times so far; a start makes it active, or end and be restarted each time it is looked at. */
  const systemd = (comesUp: boolean) => `
    unset -f daemon_comes_up; . $LIB/install.sh; ANSWER_S=5
    systemctl() {
      case $1 in
        reset-failed) echo 0 >${dir}/restarts ;;
        start) echo new >${dir}/id; echo ${comesUp ? "active" : "activating"} >${dir}/state ;;
        show)
          case $2 in
            *InvocationID) cat ${dir}/id ;;
            *ActiveState) cat ${dir}/state ;;
            *NRestarts) ${comesUp ? ":" : `echo $(($(<${dir}/restarts) + 1)) >${dir}/restarts;`} cat ${dir}/restarts ;;
          esac ;;
      esac
    }
    sleep() { :; }
    echo old >${dir}/id; echo 7 >${dir}/restarts; echo activating >${dir}/state
    daemon_comes_up && echo well || echo "$DAEMON_FAULT"`;

  it("is not held to account for how often the one before it ended", async () => {
    expect(await shell("", systemd(true))).toEqual({ code: 0, said: "well" });
  });

  it("is given up once it has ended three times itself", async () => {
    expect(await shell("", systemd(false))).toEqual({ code: 0, said: "it ended 3 times" });
  });
});

describe("the engine", () => {
  it("is none, and no reason to end without a word, where its socket is there and it does not answer", async () => {
    const socket = join(dir, "docker.sock");
    const server = createServer((connection) => connection.destroy()).listen(socket);
    const asks = `engine=$(engine_version ${socket}); echo "engine: $engine"`;
    expect(await shell("", asks)).toEqual({ code: 0, said: "engine: " });
    const checks = `unset -f check_engine; . $LIB/install.sh; ENGINE_SOCKET=${socket}; check_engine`;
    const { code, said } = await shell("", checks);
    expect(code).toBe(1);
    expect(said).toContain(`no Docker Engine answers at ${socket}`);
    server.close();
  });
});

it("two installations do not work at once", async () => {
  const file = join(dir, "lock");
  const holder = execa("flock", [file, "sh", "-c", "echo held; cat"]);
  await new Promise((resolve) => holder.stdout.once("data", resolve));
  const { code, said } = await shell("", `lock_or_die ${file} scripts/install; echo on`);
  expect(code).toBe(1);
  expect(said).toContain("another scripts/install is at work");
  holder.stdin.end();
  await holder;
  expect(await shell("", `lock_or_die ${file} scripts/install; echo on`)).toEqual({
    code: 0,
    said: "on",
  });
});
