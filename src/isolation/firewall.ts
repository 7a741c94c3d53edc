import type { Egress } from "../lib/model.js";
import { enginePort } from "../lib/model.js";
import type { PortRange } from "../lib/ports.js";

/*
 * The firewall of a `userns` sandbox, as text for `nft -f` (nft(8)). It lies in the container's network
 * namespace, between the bridge (eth0) and the user's own network namespace (behind user0): the user,
 * whatever root they are in there, has no way to it.
 */

/** The user's end of the link; images/dind/userns.sh knows the same. */
export const userAddress = "192.0.0.2";

/**
 * What is nobody's on the Internet: this host's neighbours, other sandboxes, metadata services (RFC 6890,
 * multicast and class E).
 */
const privateNetworks = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "224.0.0.0/3",
];

/** More than a busy sandbox needs; without a bound one could fill the host's connection table. */
export const mostConnections = 16_384;

export interface FirewallInput {
  /** The sandbox's address on the bridge. */
  address: string;
  /** The bridge's network in CIDR notation, and the host's address in it. */
  subnet: string;
  gateway: string;
  /** Published user ports. */
  ports: PortRange;
  dns: readonly string[];
  /** Private networks that the operator lets sandboxes reach. */
  allowPrivate: readonly string[];
  egress: Egress;
}

/**
 * The whole ruleset of a container's network namespace; pure.
 * TCP is refused, not dropped: who asks too early, Berth itself while the sandbox starts, would else hear
 * nothing for a second.
 */
export function firewall(input: FirewallInput): string {
  const { address, subnet, gateway, ports } = input;
  return `table inet berth
delete table inet berth
table inet berth {
  chain raw {
    type filter hook prerouting priority raw; policy accept;
    meta nfproto ipv6 drop
    iifname "user0" ip saddr != ${userAddress} drop
    iifname "eth0" ip daddr != ${address} drop
    iifname "eth0" ip saddr ${subnet} ip saddr != ${gateway} drop
  }
  chain input {
    type filter hook input priority filter; policy drop;
    ct state established,related accept
    meta l4proto tcp reject with tcp reset
  }
  chain forward {
    type filter hook forward priority filter; policy drop;
    ct state invalid drop
    ct state established,related accept
    iifname "eth0" oifname "user0" ct status dnat accept
    iifname "user0" oifname "eth0" jump from_user
    meta l4proto tcp reject with tcp reset
  }
  chain from_user {
    ct count over ${mostConnections} reject with icmpx admin-prohibited
${egressRules(input)
  .map((rule) => `    ${rule}\n`)
  .join("")}  }
}
table ip berth
delete table ip berth
table ip berth {
  chain prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    iifname "eth0" tcp dport ${enginePort} dnat to ${userAddress}
    iifname "eth0" meta l4proto { tcp, udp } th dport ${ports.from}-${ports.to} dnat to ${userAddress}
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    oifname "eth0" ip saddr ${userAddress} snat to ${address}
  }
}
`;
}

const refused = "reject with icmpx admin-prohibited";

/** Where new connections of the user's may go. */
function egressRules({ subnet, dns, allowPrivate, egress }: FirewallInput): string[] {
  if (egress.mode === "none") return [refused];
  const resolvers = dns.filter((server) => !server.includes(":"));
  const toDns = resolvers.map(
    (server) => `ip daddr ${server} meta l4proto { tcp, udp } th dport 53 accept`,
  );
  // Before what the operator allows: no list of theirs opens other sandboxes.
  const noNeighbour = `ip daddr ${subnet} ${refused}`;
  if (egress.mode === "list") {
    return [...toDns, noNeighbour, ...egress.to.map((to) => `ip daddr ${to} accept`), refused];
  }
  return [
    ...toDns,
    noNeighbour,
    ...allowPrivate.map((network) => `ip daddr ${network} accept`),
    `ip daddr { ${privateNetworks.join(", ")} } ${refused}`,
    "accept",
  ];
}
