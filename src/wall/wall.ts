import { ExecaError } from "execa";
import { BerthError, messageOf } from "../lib/errors.js";
import { run } from "../lib/exec.js";

/**
 * What keeps `userns` sandboxes from their host: a table of nftables with the same few rules however many
 * sandboxes there are. Each sandbox's own firewall (src/engine/firewall.ts) refuses private networks, but
 * cannot know every address of this host; here the kernel does.
 *
 * The rules stand before any translation of addresses, so that neither a program of the host's nor
 * a port that it publishes for somebody else, another sandbox's included, is reached at a host address.
 * Answers of sandboxes belong to connections that came from the other side and pass.
 */
export class HostWall {
  readonly #table: string;
  readonly #script: string;
  readonly #exec: typeof run;

  constructor(options: {
    table: string;
    /** Interface name of the sandboxes' bridge. */
    bridge: string;
    /** Resolvers of the sandboxes, which may be the host's own. */
    dns: readonly string[];
    /** For tests. */
    exec?: typeof run;
  }) {
    this.#table = options.table;
    this.#script = wallRules(options);
    this.#exec = options.exec ?? run;
  }

  /**
   * Sets the rules, whatever somebody made of them: one transaction, never a moment without.
   * @throws BerthError FORWARDING_FAILED
   */
  async raise(): Promise<void> {
    await this.#nft("keep sandboxes from the host's addresses", this.#script);
  }

  /** Leaves nothing of it. */
  async takeDown(): Promise<void> {
    await this.#nft("remove the rules about sandboxes", withoutTable(this.#table));
  }

  async #nft(act: string, script: string): Promise<void> {
    try {
      await this.#exec("nft", ["-f", "-"], { input: script });
    } catch (error) {
      const said = error instanceof ExecaError ? String(error.stderr).trim() : "";
      throw new BerthError(
        "FORWARDING_FAILED",
        `could not ${act}: nft said: ${said || messageOf(error)}; is nftables installed, and has the kernel nf_tables and nft_fib?`,
        { cause: error },
      );
    }
  }
}

const withoutTable = (table: string) => `add table ip ${table}\ndelete table ip ${table}\n`;

/** The table's whole text, for `nft -f`; pure. */
export function wallRules(options: {
  table: string;
  bridge: string;
  dns: readonly string[];
}): string {
  const fromSandbox = `iifname "${options.bridge}" ct direction original fib daddr type local`;
  const resolvers = options.dns.filter((address) => !address.includes(":"));
  const toDns = resolvers.map(
    (address) =>
      `    ${fromSandbox} ip daddr ${address} meta l4proto { tcp, udp } th dport 53 accept\n`,
  );
  // After connection tracking (-200), before every translation (-101 and up).
  return `${withoutTable(options.table)}table ip ${options.table} {
  chain prerouting {
    type filter hook prerouting priority mangle; policy accept;
${toDns.join("")}    ${fromSandbox} reject with icmp admin-prohibited
  }
}
`;
}
