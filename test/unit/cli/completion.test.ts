import { spawnSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { completionScript } from "../../../src/cli/completion/scripts.js";
import { completionShells } from "../../../src/cli/completion/shells.js";
import { branchesOf, treeOf } from "../../../src/cli/completion/tree.js";
import type { BerthError } from "../../../src/lib/errors.js";
import { documentedProgram, shareFiles } from "../../../src/share-files.js";
import { Bench } from "./support.js";

const program = documentedProgram("1.2.3");
const branches = branchesOf(treeOf(program));
const has = (shell: string) => spawnSync(shell, ["-c", "true"]).error === undefined;

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), "berth-completion-"));
  for (const shell of completionShells)
    await writeFile(path.join(dir, shell), completionScript(shell, program));
});
afterAll(() => rm(dir, { recursive: true }));

/** Puts a `berth` before all others that prints `output` for names, and complains. */
async function fakeBerth(output: string): Promise<void> {
  await mkdir(path.join(dir, "bin"), { recursive: true });
  const file = path.join(dir, "bin/berth");
  await writeFile(path.join(dir, "names"), output);
  await writeFile(
    file,
    `#!/bin/sh\necho "berth: no answer from the daemon" >&2\n` +
      `[ "$1" = complete-names ] && echo "$2" >>'${dir}/asked' && cat '${dir}/names'\n`,
  );
  await chmod(file, 0o755);
}

const shellEnv = () => ({ PATH: `${path.join(dir, "bin")}:/usr/bin:/bin`, HOME: dir });

interface Completed {
  words: string[];
  /** Whether bash is to complete the names of files by itself. */
  files: boolean;
}

/** What bash offers for the last of these words. */
function inBash(...words: string[]): Completed {
  const script = `
    compopt() { printf 'compopt %s\\n' "$*"; }
    source '${dir}/bash'
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
    _berth
    [ \${#COMPREPLY[@]} = 0 ] || printf '%s\\n' "\${COMPREPLY[@]}"`;
  const env = shellEnv();
  const args = ["--norc", "-c", script, "bash", ...words];
  const { stdout, stderr, status } = spawnSync("bash", args, { cwd: dir, env, encoding: "utf8" });
  expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
  const lines = stdout.split("\n").filter((line) => line !== "");
  const files = lines[0] === "compopt -o default";
  return { words: files ? lines.slice(1) : lines, files };
}

const known = "alice\talice/default, ready\nalice/lab\talice/lab, ready\nk3x9f2ab\talice/lab\n";

describe("completion", () => {
  it.each(completionShells)("of %s has every verb and every option", (shell) => {
    const script = completionScript(shell, program);
    expect(branches.length).toBeGreaterThan(20);
    for (const { path: words, aliases, flags } of branches) {
      const name = words.at(-1) ?? "berth";
      for (const word of [name, ...aliases]) expect(script).toMatch(new RegExp(`\\b${word}\\b`));
      for (const word of flags.flatMap((flag) => flag.words)) {
        const [, dashes = "", bare = ""] = /^(--?)(.+)/.exec(word) ?? [];
        const inFish = dashes === "--" ? `-l ${bare}` : `-s ${bare}`;
        expect(script, name).toContain(shell === "fish" ? inFish : word);
      }
    }
    expect(script).not.toMatch(/\beval\b|compgen/);
  });

  it("is among the files of an installed Berth, as the verb prints it", async () => {
    await using bench = await Bench.start();
    const files = shareFiles("1.2.3");
    const names = { bash: "berth.bash", zsh: "_berth", fish: "berth.fish" };
    for (const shell of completionShells) {
      const { code, stdout, stderr } = await bench.berth(["completion", shell]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(stdout).toBe(files[`completions/${names[shell]}`]);
      const { stdout: document } = await bench.berth(["completion", shell, "--json"]);
      expect(JSON.parse(document)).toEqual({ shell, script: stdout });
    }
    expect(bench.api.seen).toEqual([]);
    expect((await bench.berth(["completion", "tcsh"])).code).toBe(2);
  });

  for (const shell of completionShells)
    it.skipIf(!has(shell))(
      `is a script that ${shell} reads (skipped where it is not installed)`,
      () => {
        const read = spawnSync(shell, ["-n", path.join(dir, shell)], { encoding: "utf8" });
        expect({ status: read.status, stderr: read.stderr }).toEqual({ status: 0, stderr: "" });
      },
    );
});

describe("bash", () => {
  beforeAll(() => fakeBerth(known));

  it("offers the verbs of each level, by what is typed", () => {
    for (const { path: words, branches: below } of branches) {
      if (below.length === 0) continue;
      const verbs = below.map((branch) => branch.path.at(-1));
      expect(inBash("berth", ...words, "").words).toEqual(verbs);
    }
    expect(inBash("berth", "sh").words).toEqual(["show"]);
    expect(inBash("berth", "--json", "--url", "http://x", "sh").words).toEqual(["show"]);
    expect(inBash("berth", "help", "us").words).toEqual(["user"]);
    expect(inBash("berth", "nonsense", "").words).toEqual([]);
  });

  it("offers every option of every verb, and not after --", () => {
    for (const { path: words, flags } of branches) {
      const options = flags.flatMap((flag) => flag.words);
      expect(inBash("berth", ...words, "-").words, words.join(" ")).toEqual(options);
    }
    expect(inBash("berth", "list", "--us").words).toEqual(["--user"]);
    expect(inBash("berth", "show", "--", "-").words).toEqual([]);
  });

  it("offers the values of options that have few", () => {
    expect(inBash("berth", "env", "alice", "--shell", "").words).toEqual(["sh", "powershell"]);
    // As bash splits --shell=p.
    expect(inBash("berth", "env", "--shell", "=", "p").words).toEqual(["powershell"]);
    expect(inBash("berth", "env", "--shell", "=").words).toEqual(["sh", "powershell"]);
    expect(inBash("berth", "completion", "").words).toEqual(["bash", "zsh", "fish"]);
    expect(inBash("berth", "create", "alice", "--ttl", "").words).toEqual([]);
  });

  it("asks berth for names where they stand, after values of options too", async () => {
    for (const words of [
      ["show", ""],
      ["rm", "bob", ""],
      ["extend", "--ttl", "2h", ""],
      ["env", "--shell", "=", "sh", ""],
      ["create", ""],
      ["create", "bob", "--profile", ""],
      ["list", "--user", ""],
      ["user", "rm", ""],
      ["image", "build", ""],
    ])
      expect(inBash("berth", ...words).words, words.join(" ")).toContain("alice");
    expect(inBash("berth", "show", "alice/").words).toEqual(["alice/lab"]);
    for (const words of [
      ["show", "alice", ""],
      ["user", "add", ""],
      ["create", "--name", ""],
    ])
      expect(inBash("berth", ...words).words, words.join(" ")).toEqual([]);
    expect(await readdir(dir)).toContain("asked");
  });

  it("leaves files to bash where files stand", () => {
    expect(inBash("berth", "bundle", "alice", "-o", "x")).toEqual({ words: [], files: true });
    expect(inBash("berth", "serve", "--config", "")).toEqual({ words: [], files: true });
    expect(inBash("berth", "show", "")).toMatchObject({ files: false });
  });

  it("neither runs nor offers a name that means something to a shell", async () => {
    const hostile = [
      "$(touch pwned)",
      "`touch pwned`",
      "x;touch pwned",
      "x$(touch pwned)\tx",
      "a b",
      "a*",
      "-rf",
      "../x",
      "'",
      '"',
      "x\\",
      "~root",
      "a\u0007",
    ];
    await fakeBerth([...hostile, "alice\t$(touch pwned)", ""].join("\n"));
    expect(inBash("berth", "show", "").words).toEqual(["alice"]);
    for (const typed of ["$(touch pwned)", "`touch pwned`", "x;touch pwned", "*", "'"]) {
      expect(inBash("berth", "show", typed).words).toEqual([]);
      expect(inBash("berth", typed, "").words).toEqual([]);
      expect(inBash("berth", "create", "--profile", typed).words).toEqual([]);
    }
    expect(await readdir(dir)).not.toContain("pwned");
  });

  it("says nothing when there is no answer, nor when there is no berth", async () => {
    await fakeBerth("");
    expect(inBash("berth", "show", "").words).toEqual([]);
    await rm(path.join(dir, "bin/berth"));
    expect(inBash("./not-there", "show", "").words).toEqual([]);
  });
});

describe.skipIf(!has("fish"))("fish (skipped where it is not installed)", () => {
  const inFish = (line: string): string[] => {
    const script = `source '${dir}/fish'; complete -C '${line}'`;
    const args = ["--no-config", "-c", script];
    const { stdout, stderr } = spawnSync("fish", args, { env: shellEnv(), encoding: "utf8" });
    expect(stderr).toBe("");
    return stdout
      .split("\n")
      .filter((one) => one !== "")
      .map((one) => one.split("\t")[0] ?? "");
  };

  it("offers verbs, options, values and the daemon's names, and no hostile ones", async () => {
    await fakeBerth(`${known}$(touch ${dir}/pwned)\n(touch ${dir}/pwned)\nx;y\n-rf\n`);
    expect(inFish("berth sh")).toEqual(["show"]);
    expect(inFish("berth user ")).toEqual(["add", "list", "password", "remove", "set"]);
    expect(inFish("berth list --us")).toEqual(["--user"]);
    expect(inFish("berth env alice --shell ")).toEqual(["powershell", "sh"]);
    expect(inFish("berth extend --ttl 2h ").sort()).toEqual(["alice", "alice/lab", "k3x9f2ab"]);
    expect(inFish("berth show alice ")).toEqual([]);
    expect(await readdir(dir)).not.toContain("pwned");
  });
});

describe.skipIf(!has("zsh"))("zsh (skipped where it is not installed)", () => {
  // A terminal with a zsh in it: each line is typed, then TAB, then a key that tells what stands there.
  const terminal = `
    zmodload zsh/zpty
    zpty inner 'zsh -f -i'
    zpty -w inner 'PROMPT= RPROMPT=; stty -echo; unsetopt zle_bracketed_paste; setopt no_auto_menu'
    zpty -w inner "fpath=($HOME/site-functions "'$fpath); autoload -Uz compinit && compinit -u -D'
    zpty -w inner 'tell() { print -r -- "<$BUFFER>"; BUFFER= }; zle -N tell; bindkey "^G" tell; print re""ady'
    zpty -r -m inner said '*ready*'
    for line in "$@"; do
      zpty -w -n inner "$line"$'\\t\\a'
      zpty -r -m inner said '*<*>*'
      print -r -- \${\${said##*<}%%>*}
    done
    zpty -d inner`;

  /** What the line becomes on TAB. */
  const inZsh = (...lines: string[]): string[] => {
    const env = { ...shellEnv(), TERM: "dumb" };
    const args = ["-f", "-c", terminal, "zsh", ...lines];
    const { stdout, stderr } = spawnSync("zsh", args, { env, encoding: "utf8", timeout: 20_000 });
    expect(stderr).toBe("");
    return stdout.split("\n").slice(0, -1);
  };

  it("completes verbs, options, values and the daemon's names, and no hostile ones", async () => {
    await fakeBerth(`${known}$(touch ${dir}/pwned)\n`);
    const installed = path.join(dir, "site-functions");
    await mkdir(installed);
    await writeFile(path.join(installed, "_berth"), completionScript("zsh", program));
    const completed = {
      "berth sh": "berth show ",
      "berth user ad": "berth user add ",
      "berth list --us": "berth list --user=",
      "berth env alice --shell po": "berth env alice --shell powershell ",
      "berth extend --ttl 2h k3": "berth extend --ttl 2h k3x9f2ab ",
      "berth show $": "berth show $",
      "berth show alice x": "berth show alice x",
    };
    expect(inZsh(...Object.keys(completed))).toEqual(Object.values(completed));
    expect(await readdir(dir)).not.toContain("pwned");
  });
});

describe("berth complete-names", () => {
  let bench: Bench;
  beforeEach(async () => {
    bench = await Bench.start();
  });
  afterEach(() => bench[Symbol.asyncDispose]());

  const names = async (kind: string) => {
    const { code, stdout, stderr } = await bench.berth(["complete-names", kind]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    return stdout.split("\n").filter((line) => line !== "");
  };

  it("tells each way to mean a sandbox, with a few words on it", async () => {
    bench.api.add("aaaaaaa1", "alice");
    bench.api.add("aaaaaaa2", "alice", "lab", { state: "stopped" });
    bench.api.add("bbbbbbb1", "bob", "ci", { expiresAt: "2025-06-01T09:00:00.000Z" });
    expect(await names("sandboxes")).toEqual([
      "alice\talice/default, ready, ends in 2h",
      "aaaaaaa1\talice/default, ready, ends in 2h",
      "alice/lab\talice/lab, stopped, ends in 2h",
      "aaaaaaa2\talice/lab, stopped, ends in 2h",
      "bob\tbob/ci, ready, expired",
      "bob/ci\tbob/ci, ready, expired",
      "bbbbbbb1\tbob/ci, ready, expired",
    ]);
  });

  it("tells users to an admin, and profiles to all", async () => {
    await bench.berth(["user", "add", "carol"]);
    expect(await names("users")).toEqual(["carol\tuser"]);
    expect(await names("profiles")).toContainEqual(expect.stringMatching(/^default\t/));
  });

  it("does not wait long, and is in no list of verbs", async () => {
    const limits: number[] = [];
    const endWithin = (ms: number) => limits.push(ms);
    const socket = path.join(dir, "nobody.sock");
    const connection = { socket, embeddedStateFile: path.join(dir, "none") };
    const { code, stdout, stderr } = await bench.berth(["complete-names", "users"], {
      endWithin,
      connection,
    });
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain("DAEMON_UNREACHABLE" satisfies BerthError["code"]);
    expect(limits).toEqual([2000]);
    expect((await bench.berth(["--help"])).stdout).not.toContain("complete-names");
  });
});
