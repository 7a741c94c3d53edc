import { createHash } from "node:crypto";
import { enginePort, type Route } from "../lib/model.js";

/*
 * What Berth asks of nftables, as text for `nft -f` (nft(8)); all of it lies in one table of its own,
 * whose name each function here is given.
 *
 * One map leads engine ports to `address . 2376`, another leads blocks of user ports to an address
 * and leaves the port as it is. So a sandbox costs three elements and no rule.
 *
 * - Only packets to an address of this host are translated (`fib daddr type local`), those of the
 *   host's own programs included. 127.0.0.0/8 is left alone: the kernel refuses to send a packet
 *   from 127.0.0.1 out of a bridge unless route_localnet is set, and that would open the host's
 *   loopback services to the sandboxes. Clients on the host dial its other addresses.
 * - Docker's FORWARD policy is drop, and a drop in any base chain is final: accepting here would not
 *   help. So what was translated to a sandbox gets a packet mark, in both directions, which one
 *   constant rule in DOCKER-USER accepts (docker-user.ts). The set of addresses keeps the mark off
 *   what others translate.
 * - A sandbox may dial another's published port at the host's address; the answer must come back
 *   this way too, so its packets are masqueraded. Engine ports as well: they ask for a certificate.
 *   Its own published ports it reaches so only where the bridge may send a packet back out of the
 *   port it came from, or does not pass iptables: with Docker's `userland-proxy: false` (hairpin
 *   mode), or without br_netfilter. They are its own; from inside it has them at 127.0.0.1.
 * - IPv4 only, as the sandboxes' networks are.
 */
/** Bits that packets to and from a published port carry while they are forwarded. */
export const forwardMark = { value: 0xbe000000, mask: 0xff000000 } as const;

const hex = (value: number) => `0x${value.toString(16).padStart(8, "0")}`;
export const forwardMarkText = `${hex(forwardMark.value)}/${hex(forwardMark.mask)}`;

const containers = [
  "map engine_ports { type inet_service : ipv4_addr . inet_service ; }",
  "map user_ports { type inet_service : ipv4_addr ; flags interval ; }",
  "set addresses { type ipv4_addr ; }",
];

/** Before Docker's own chains (priorities -100, 0 and 100): the first translation counts. */
const chains = {
  to_sandbox: "",
  prerouting: "{ type nat hook prerouting priority -101 ; }",
  output: "{ type nat hook output priority -101 ; }",
  forward: "{ type filter hook forward priority -1 ; }",
  postrouting: "{ type nat hook postrouting priority 99 ; }",
};

const rules: [chain: keyof typeof chains, rule: string][] = [
  ["to_sandbox", "dnat ip to tcp dport map @engine_ports"],
  ["to_sandbox", "meta l4proto { tcp, udp } dnat ip to th dport map @user_ports"],
  ["prerouting", "fib daddr type local jump to_sandbox"],
  ["output", "ip daddr != 127.0.0.0/8 fib daddr type local jump to_sandbox"],
  [
    "forward",
    "ct status dnat ct reply ip saddr @addresses " +
      `meta mark set meta mark & ${hex(~forwardMark.mask >>> 0)} | ${hex(forwardMark.value)}`,
  ],
  ["postrouting", "ct status dnat ip saddr @addresses ip daddr @addresses masquerade"],
];

/** Every rule carries this as its comment: rules of another Berth, or missing ones, are told by it. */
export const version = createHash("sha256")
  .update(JSON.stringify([containers, chains, rules]))
  .digest("hex")
  .slice(0, 12);

/** How often each chain's rules stand in it when all is well. */
export const ruleCounts = new Map<string, number>(
  Object.keys(chains).map((chain) => [chain, rules.filter(([name]) => name === chain).length]),
);

/** Makes the table with its rules, or its rules anew; what is in the maps stays. */
export function skeleton(table: string): string {
  return lines([
    `add table ip ${table}`,
    ...containers.map((container) => {
      const [kind, name, ...rest] = container.split(" ");
      return `add ${kind} ip ${table} ${name} ${rest.join(" ")}`;
    }),
    ...Object.entries(chains).flatMap(([name, hook]) => [
      `add chain ip ${table} ${name} ${hook}`,
      `flush chain ip ${table} ${name}`,
    ]),
    ...rules.map(([name, rule]) => `add rule ip ${table} ${name} ${rule} comment "${version}"`),
  ]);
}

/** Deletes the table whether it is there or not. */
export function withoutTable(table: string): string {
  return lines([`add table ip ${table}`, `delete table ip ${table}`]);
}

export type ContainerName = "engine_ports" | "user_ports" | "addresses";

/** One element of a map or set, in nft's own notation. */
export interface Element {
  container: ContainerName;
  /** `20001`, `21000-21009` or `10.210.0.2`. */
  key: string;
  /** What a map's key leads to. */
  value?: string;
  /** The sandbox, kept as the element's comment. */
  id: string;
}

export function elementsOf(route: Route): Element[] {
  const { id, address, engineHostPort, from, to } = route;
  const block = from === to ? String(from) : `${from}-${to}`;
  return [
    {
      container: "engine_ports",
      key: String(engineHostPort),
      value: `${address} . ${enginePort}`,
      id,
    },
    { container: "user_ports", key: block, value: address, id },
    { container: "addresses", key: address, id },
  ];
}

export const sameElement = (a: Element, b: Element) =>
  a.container === b.container && a.key === b.key && a.value === b.value && a.id === b.id;

/** Takes out, then puts in; nft does it all or nothing. */
export function changeElements(
  table: string,
  remove: readonly Element[],
  add: readonly Element[],
): string {
  return lines([
    ...remove.map(({ container, key }) => `delete element ip ${table} ${container} { ${key} }`),
    ...add.map(({ container, key, value, id }) => {
      const leadsTo = value === undefined ? "" : ` : ${value}`;
      return `add element ip ${table} ${container} { ${key} comment "${id}"${leadsTo} }`;
    }),
  ]);
}

const lines = (all: string[]) => all.map((line) => `${line}\n`).join("");
