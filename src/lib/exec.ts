import { execa } from "execa";

/** None of the programs we run takes a second when the host is well. */
const usualTimeoutMs = 60_000;

/** Where programs of the host are looked for, whatever the environment that Berth was started with. */
export const hostPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * Runs a program of the host, without a shell and with a fixed, plain environment
 * (`LC_ALL=C`: its messages are read by people in errors, never parsed for meaning).
 * Rejects with execa's error, whose `stderr` and `exitCode` the caller turns into its own.
 */
export async function run(
  file: string,
  args: readonly string[],
  options: { input?: string; timeout?: number } = {},
): Promise<string> {
  const { stdout } = await execa(file, args, {
    timeout: usualTimeoutMs,
    ...options,
    env: { LC_ALL: "C", PATH: hostPath },
    extendEnv: false,
    stdin: options.input === undefined ? "ignore" : "pipe",
  });
  return stdout;
}
