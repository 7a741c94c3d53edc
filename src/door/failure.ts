import { ExecaError } from "execa";
import { BerthError, codeOf, messageOf } from "../lib/errors.js";

/** What a firewall tool's failure means to a person. */
export function forwardingError(act: string, tool: string, error: unknown): BerthError {
  if (codeOf(error) === "ENOENT") {
    return new BerthError(
      "FORWARDING_FAILED",
      `could not ${act}: ${tool} is not installed; apt-get install ${tool === "nft" ? "nftables" : tool}`,
      { cause: error },
    );
  }
  const stderr = error instanceof ExecaError ? String(error.stderr).trim() : "";
  return new BerthError(
    "FORWARDING_FAILED",
    `could not ${act}: ${tool} said: ${stderr || messageOf(error)}; ` +
      `it needs root and a kernel with nf_tables, and "nft list tables" shows which there are`,
    { cause: error },
  );
}
