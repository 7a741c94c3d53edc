import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";

// Where the Berth under test runs, seen from the machine that runs the tests.

export const projectDir = fileURLToPath(new URL("../..", import.meta.url));
export const hostScript = join(projectDir, "scripts", "host");
export const vmScript = join(projectDir, "scripts", "vm");

/** BERTH_TEST_HOST=vm: in the virtual machine of scripts/vm, which scripts/test-vm has prepared. */
export const isVm = process.env["BERTH_TEST_HOST"] === "vm";

/** In the embedded host? Else it is installed on this very machine, or in the virtual one. */
export const isEmbedded = (): boolean => {
  if (isVm) return false;
  try {
    readFileSync("/run/berth-host/state.json");
    return true;
  } catch {
    return false;
  }
};

/** A reboot of it, or a fault of its engine, harms nobody but the tests. */
export const isOurs = (): boolean => isVm || isEmbedded();

/** What takes the machine that holds the sandboxes down, up again, or says whether it is up. */
export const hostCommand = (verb: "down" | "up" | "status"): [file: string, args: string[]] => [
  isVm ? vmScript : hostScript,
  [verb],
];

/** How many times as long as on hardware everything takes there; scripts/test-vm measures it. */
const slowness = z.coerce.number().min(1).default(1).parse(process.env["BERTH_TEST_SLOWNESS"]);

/** A time limit in ms for something that is done there. */
export const patience = (ms: number): number => Math.round(ms * slowness);

/** The same in seconds, as timeout(1) and curl(1) take it. */
export const patienceSeconds = (ms: number): number => patience(ms) / 1000;

/** What runs a shell line on the host that holds the sandboxes. */
export function shellOnHost(line: string): [file: string, args: string[]] {
  const shell = ["bash", "-c", line];
  if (isVm) return [vmScript, ["exec", "--", ...shell]];
  return isEmbedded() ? [hostScript, ["exec", "--", ...shell]] : ["env", shell];
}

/** Verbs of the CLI that look at the machine they run on, and not at the API alone. */
const localVerbs = ["clear-host", "doctor", "image", "reap", "serve"];

/** What runs the CLI: this clone's, but where it must be on the host itself. */
export function cli(args: string[]): { file: string; args: string[]; env: Record<string, string> } {
  if (isVm && localVerbs.includes(args[0] ?? ""))
    return { file: vmScript, args: ["exec", "--", "berth", ...args], env: {} };
  return {
    file: join(projectDir, "bin", "berth"),
    args,
    env: isVm ? { BERTH_SOCKET: vmSocket } : {},
  };
}

/** What `scripts/vm forward /run/berth/berth.sock` says; `up` has done so. */
const vmSocket = "/run/berth-vm/run-berth-berth.sock";

/** What prints where this machine finds a socket of the virtual machine. */
export const vmForward = (socket: string): [file: string, args: string[]] | undefined =>
  isVm ? [vmScript, ["forward", socket]] : undefined;

/** The virtual machine's own docker plugins, which scripts/vm keeps beside its disk. */
export const vmPlugins = (): string[] =>
  isVm ? [join(process.env["BERTH_VM_DIR"] ?? "/var/lib/berth-vm", "base/client/cli-plugins")] : [];

/** What any daemon's configuration must say there, as scripts/lib/vm-berth.sh writes it for the first one. */
export const configOfHost = (): Record<string, unknown> =>
  isVm ? { publicHosts: ["10.84.0.2"], engine: { startTimeout: "20m" } } : {};
