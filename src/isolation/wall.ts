/*
 * What keeps `userns` sandboxes from their host: a table of nftables with the same few rules however many
 * sandboxes there are. Each sandbox's own firewall (firewall.ts) refuses private networks, but cannot know
 * every address of this host; here the kernel does.
 *
 * The rules stand before any translation of addresses, so that neither a program of the host's nor
 * a port that it publishes for somebody else, another sandbox's included, is reached at a host address.
 * Answers of sandboxes belong to connections that came from the other side and pass. Nothing else does, not
 * what the kernel knows no connection of, nor datagrams to a broadcast address of some network of the
 * host's, which it takes for its own as well.
 */

/** Deletes the table whether it is there or not. */
export const withoutWall = (table: string) => `add table ip ${table}\ndelete table ip ${table}\n`;

/** The table's whole text, for `nft -f`; pure. */
export function wallRules(options: {
  table: string;
  /** Interface name of the sandboxes' bridge. */
  bridge: string;
  /** Resolvers of the sandboxes, which may be the host's own. */
  dns: readonly string[];
}): string {
  const resolvers = options.dns.filter((address) => !address.includes(":"));
  const toDns = resolvers.map(
    (address) => `    ip daddr ${address} meta l4proto { tcp, udp } th dport 53 accept\n`,
  );
  // After connection tracking (-200), before every translation (-101 and up).
  return `${withoutWall(options.table)}table ip ${options.table} {
  chain prerouting {
    type filter hook prerouting priority mangle; policy accept;
    iifname "${options.bridge}" fib daddr type { local, broadcast, anycast, multicast } jump from_sandbox
  }
  chain from_sandbox {
    ct direction reply accept
${toDns.join("")}    reject with icmp admin-prohibited
  }
}
`;
}
