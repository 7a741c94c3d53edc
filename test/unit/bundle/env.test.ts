import { mkdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { beforeAll, describe, expect, it } from "vitest";
import { bundleFiles } from "../../../src/bundle/files.js";
import { writeBundle } from "../../../src/lib/bundle-archive.js";
import { has, input, now, temporaryDirectory } from "./support.js";

const path = process.env["PATH"] ?? "";

/** What the shell has after `script`; with -e and -u, as in a careful user's script. */
async function source(shell: string, script: string, cwd: string, flags = "-euc") {
  const show = 'echo "$DOCKER_HOST|$DOCKER_TLS_VERIFY|$DOCKER_CERT_PATH|${DOCKER_CONTEXT-unset}"';
  const leftovers = "set | grep ^_berth_ || true";
  return execa(shell, [flags, `${script}; ${show}; ${leftovers}`], {
    cwd,
    // On a socket, bash takes itself for one that rshd started, and reads bashrc (bash(1), INVOCATION).
    stdin: "ignore",
    reject: false,
    extendEnv: false,
    // CDPATH makes cd print and go elsewhere; the context is one that the user had chosen before.
    env: { PATH: path, CDPATH: "/:/tmp", DOCKER_CONTEXT: "laptop" },
  });
}

describe.each(["bash", "zsh", "dash", "sh"])("env.sh in %s", (shell) => {
  let parent: string;
  let directory: string;
  let installed: boolean;

  beforeAll(async () => {
    installed = await has(shell, "-c", "true");
    parent = await temporaryDirectory();
    directory = join(parent, "it's ann's bundle");
    await writeBundle(await bundleFiles(input(), now), directory);
    await writeBundle(
      await bundleFiles(input({ id: "zzzzzzzz" }), now),
      join(parent, "bob's bundle"),
    );
  });

  const expected = () => `tcp://build.example.org:22001|1|${directory}|unset`;

  it("points docker at the sandbox when sourced from its own directory", async ({ skip }) => {
    if (!installed) skip(`no ${shell} on PATH`);
    const { stdout, stderr } = await source(shell, ". ./env.sh", directory);
    expect(stderr).toBe("");
    expect(stdout).toBe(expected());
  });

  it("does so from elsewhere, or changes nothing and says what to do", async ({ skip }) => {
    if (!installed) skip(`no ${shell} on PATH`);
    for (const file of [`${directory}/env.sh`, "../it's ann's bundle/env.sh"]) {
      const script = `. "${file}" || echo "status $?"`;
      const cwd = join(parent, "bob's bundle");
      const { stdout, stderr } = await source(shell, script, cwd, "-c");
      if (stderr === "") {
        expect(stdout).toBe(expected());
      } else {
        expect(["dash", "sh"]).toContain(shell);
        expect(stderr).toMatch(/^berth: cannot find the bundle of sandbox a1b2c3d4; cd into/);
        expect(stdout).toBe("status 1\n|||laptop");
      }
    }
  });

  it("follows the bundle when it is moved", async ({ skip }) => {
    if (!installed) skip(`no ${shell} on PATH`);
    await mkdir(join(parent, "deep"));
    const moved = join(parent, "deep", "ann");
    await rename(directory, moved);
    const { stdout } = await source(shell, ". ./env.sh", moved);
    expect(stdout).toBe(`tcp://build.example.org:22001|1|${moved}|unset`);
  });
});

it("env.sh satisfies shellcheck", async ({ skip }) => {
  if (!(await has("shellcheck", "--version"))) skip("no shellcheck on PATH");
  const directory = join(await temporaryDirectory(), "ann");
  await writeBundle(await bundleFiles(input(), now), directory);
  const { stdout } = await execa("shellcheck", [join(directory, "env.sh")], { reject: false });
  expect(stdout).toBe("");
});

it("env.ps1 points docker at the sandbox", async ({ skip }) => {
  if (!(await has("pwsh", "-Version"))) skip("no pwsh on PATH");
  const directory = join(await temporaryDirectory(), "ann");
  await writeBundle(await bundleFiles(input(), now), directory);
  const show =
    '"$env:DOCKER_HOST|$env:DOCKER_TLS_VERIFY|$env:DOCKER_CERT_PATH|$env:DOCKER_CONTEXT"';
  const { stdout } = await execa("pwsh", ["-NoProfile", "-c", `. ${directory}/env.ps1; ${show}`], {
    env: { DOCKER_CONTEXT: "laptop" },
  });
  expect(stdout).toBe(`tcp://build.example.org:22001|1|${directory}|`);
});
