import { ExecaError } from "execa";
import { BerthError, messageOf } from "../lib/errors.js";
import type { run } from "../lib/exec.js";

/**
 * Has nft carry out a script, all of it or nothing.
 * @throws BerthError FORWARDING_FAILED
 */
export async function nft(exec: typeof run, act: string, script: string): Promise<void> {
  try {
    await exec("nft", ["-f", "-"], { input: script });
  } catch (error) {
    const said = error instanceof ExecaError ? String(error.stderr).trim() : "";
    throw new BerthError(
      "FORWARDING_FAILED",
      `could not ${act}: nft said: ${said || messageOf(error)}; is nftables installed, and has the kernel nf_tables and nft_fib?`,
      { cause: error },
    );
  }
}
