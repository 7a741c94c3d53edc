import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { execa, type ResultPromise } from "execa";
import { BerthError, codeOf } from "../lib/errors.js";
import { hostPath } from "../lib/exec.js";
import { dpkgOptions, type Recipe } from "./recipe.js";

export interface RootRequest {
  recipe: Recipe;
  /** Debian mirror's URL; without it the machine's own sources, or else mmdebstrap's default. */
  mirror?: string | undefined;
  /** apt sources in deb822 style, used when no mirror is given. */
  sources?: string | undefined;
  /** Where mmdebstrap keeps the growing root: about 300 MB, on a disk. */
  workDir: string;
  /** Proxy settings and the like. */
  environment: Record<string, string>;
  onMessage: (message: string) => void;
  signal: AbortSignal;
}

/** A Debian root in the making. */
export interface Root {
  /** Its tar. Whole only if `finished` resolves. */
  tar: Readable;
  finished: Promise<void>;
  /** Ends mmdebstrap if it still runs, and removes what it left. */
  dispose: () => Promise<void>;
}

/** What mmdebstrap may take to tidy up before it is killed. */
const graceMs = 10_000;

export function mmdebstrapArguments({
  recipe,
  mirror,
  sources,
}: Pick<RootRequest, "recipe" | "mirror" | "sources">): string[] {
  return [
    "--format=tar",
    `--variant=${recipe.variant}`,
    `--include=${recipe.packages.join(",")}`,
    '--aptopt=APT::Install-Recommends "false"',
    ...dpkgOptions(recipe).map((option) => `--dpkgopt=${option}`),
    recipe.suite,
    "-",
    ...(mirror === undefined ? (sources === undefined ? [] : ["-"]) : [mirror]),
  ];
}

/**
 * Starts mmdebstrap. It runs in a process group of its own, so that an abort reaches apt, dpkg and
 * tar below it too, and in a directory of its own, which `dispose` removes.
 * @throws BerthError IMAGE_BUILD_FAILED (also as `finished`)
 */
export async function startRoot(request: RootRequest): Promise<Root> {
  const directory = await mkdtemp(join(request.workDir, "berth-image-"));
  // apt's unprivileged downloader must be able to enter.
  await chmod(directory, 0o755);
  const process = execa("mmdebstrap", mmdebstrapArguments(request), {
    input: request.mirror === undefined ? (request.sources ?? "") : "",
    detached: true,
    buffer: { stdout: false, stderr: false },
    stripFinalNewline: false,
    extendEnv: false,
    env: {
      PATH: hostPath,
      LC_ALL: "C",
      ...request.environment,
      TMPDIR: directory,
    },
  });
  const lastLines = followMessages(process, request.onMessage);
  const abort = () => {
    endGroup(process, "SIGTERM");
  };
  request.signal.addEventListener("abort", abort, { once: true });
  if (request.signal.aborted) abort();
  const finished = process.then(
    () => undefined,
    (error: unknown) => {
      throw asBerthError(error, lastLines);
    },
  );
  // Awaited by the caller after the tar; a failure before that must not count as unhandled.
  finished.catch(() => undefined);
  return {
    tar: process.stdout,
    finished,
    dispose: async () => {
      request.signal.removeEventListener("abort", abort);
      await end(process);
      await removeDirectory(directory);
    },
  };
}

/** Passes on each message and keeps the last ones for an error. */
function followMessages(process: ResultPromise, onMessage: (message: string) => void): string[] {
  const last: string[] = [];
  const follow = async () => {
    for await (const line of process.iterable({ from: "stderr" })) {
      const text = String(line).trim();
      if (text === "") continue;
      last.push(text);
      if (last.length > 8) last.shift();
      if (text.startsWith("I: ")) onMessage(text.slice(3));
    }
  };
  // It ends as the process does, whose failure is reported by its own promise.
  follow().catch(() => undefined);
  return last;
}

function endGroup(process: ResultPromise, signal: NodeJS.Signals): void {
  if (process.pid === undefined) return;
  try {
    globalThis.process.kill(-process.pid, signal);
  } catch (error) {
    if (codeOf(error) !== "ESRCH") throw error;
  }
}

async function end(process: ResultPromise): Promise<void> {
  // Nobody reads its output any more, and it must not wait for that.
  process.stdout?.destroy();
  endGroup(process, "SIGTERM");
  const timer = setTimeout(() => {
    endGroup(process, "SIGKILL");
  }, graceMs);
  await process.catch(() => undefined);
  clearTimeout(timer);
  // What outlived its parent.
  endGroup(process, "SIGKILL");
}

/** Removes mmdebstrap's directory, unless something is still mounted in it (the host's /dev, say). */
async function removeDirectory(directory: string): Promise<void> {
  const mounts = await readFile("/proc/self/mounts", "utf8");
  if (mounts.includes(` ${directory}/`)) {
    throw new BerthError(
      "IMAGE_BUILD_FAILED",
      `mmdebstrap left mounts below ${directory}; unmount them and remove the directory`,
    );
  }
  await rm(directory, { recursive: true, force: true });
}

function asBerthError(error: unknown, lastLines: string[]): BerthError {
  if (codeOf(error) === "ENOENT") {
    return new BerthError(
      "IMAGE_BUILD_FAILED",
      "cannot build the image: mmdebstrap is not installed; apt-get install mmdebstrap",
      { cause: error },
    );
  }
  const said = lastLines.filter((line) => !line.startsWith("I: ")).slice(-4);
  return new BerthError(
    "IMAGE_BUILD_FAILED",
    `mmdebstrap failed: ${(said.length > 0 ? said : lastLines.slice(-2)).join(" | ") || "it said nothing"}; ` +
      "is the mirror reachable? `--mirror URL` names another",
    { cause: error },
  );
}
