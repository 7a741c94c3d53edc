import { readFile } from "node:fs/promises";
import { BerthError } from "./errors.js";

/** An IPv4 network: its first address as a number, and its number of leading bits. */
export interface Network {
  address: number;
  bits: number;
}

/**
 * Network, bridge, sandbox, broadcast: the engine gives the first host address to the bridge, and
 * nothing else ever joins a sandbox's network.
 */
const sandboxBits = 30;

export interface SandboxNetwork {
  /** In CIDR notation. */
  subnet: string;
  /** The sandbox's; the one before it is the bridge's. */
  address: string;
}

/**
 * The lowest /30 of `pool` that overlaps neither another sandbox's network (`used`) nor a network
 * that the host already reaches (`avoid`, see {@link readHostNetworks}); all in CIDR notation.
 * @throws BerthError ADDRESSES_EXHAUSTED
 */
export function allocateSubnet(request: {
  pool: string;
  used: readonly string[];
  avoid?: readonly string[];
}): SandboxNetwork {
  const pool = parseNetwork(request.pool);
  const used = request.used.map(parseNetwork);
  const blocked = [...used, ...(request.avoid ?? []).map(parseNetwork)];
  const size = 2 ** (32 - sandboxBits);
  const end = pool.address + 2 ** (32 - pool.bits);
  let address = pool.address;
  while (address + size <= end) {
    const candidate = { address, bits: sandboxBits };
    const blocker = blocked.find((network) => overlap(network, candidate));
    if (!blocker) return sandboxNetwork(address);
    // Past the blocker at once: a large one would else cost a step for each /30 in it.
    address = Math.max(address + size, blocker.address + 2 ** (32 - blocker.bits));
  }
  throw new BerthError(
    "ADDRESSES_EXHAUSTED",
    `no free IPv4 network left in ${request.pool}: ${used.length} sandboxes have one each` +
      `${naming(request, pool)}; remove sandboxes or choose another network.pool in the configuration`,
  );
}

/**
 * The pool's upper half, which the bridge of all `userns` sandboxes has; networks of single
 * sandboxes are cut from the lower half first.
 */
export function sharedSubnet(pool: string): string {
  const { address, bits } = parseNetwork(pool);
  return `${formatAddress(address + 2 ** (31 - bits))}/${bits + 1}`;
}

/** The lower half of the pool, for sandboxes with a network of their own. */
export function separateSubnets(pool: string): string {
  const { address, bits } = parseNetwork(pool);
  return `${formatAddress(address)}/${bits + 1}`;
}

/** The address that the engine gives to a bridge: the first of its network. */
export function gatewayOf(subnet: string): string {
  return formatAddress(parseNetwork(subnet).address + 1);
}

/** The last address before the broadcast one. */
export function lastAddressOf(subnet: string): string {
  const { address, bits } = parseNetwork(subnet);
  return formatAddress(address + 2 ** (32 - bits) - 2);
}

/**
 * The lowest address of a shared network that no sandbox has.
 * @param avoid networks the host has routes to; but for the shared network itself none may overlap it
 * @throws BerthError ADDRESSES_EXHAUSTED
 */
export function allocateAddress(request: {
  subnet: string;
  used: readonly string[];
  avoid?: readonly string[];
}): string {
  const { subnet } = request;
  const network = parseNetwork(subnet);
  const inTheWay = (request.avoid ?? []).find(
    (route) => route !== subnet && overlap(parseNetwork(route), network),
  );
  if (inTheWay !== undefined) {
    throw new BerthError(
      "ADDRESSES_EXHAUSTED",
      `the sandboxes' network ${subnet} overlaps ${inTheWay}, which the host reaches otherwise; choose another network.pool in the configuration`,
    );
  }
  const used = new Set(request.used);
  // The first is the bridge's, the last the broadcast address.
  const end = network.address + 2 ** (32 - network.bits) - 1;
  for (let address = network.address + 2; address < end; address++) {
    const text = formatAddress(address);
    if (!used.has(text)) return text;
  }
  throw new BerthError(
    "ADDRESSES_EXHAUSTED",
    `no free address left in ${subnet}: ${used.size} sandboxes have one each; remove sandboxes or choose a larger network.pool in the configuration`,
  );
}

function naming(request: { avoid?: readonly string[] }, pool: Network): string {
  const routes = (request.avoid ?? []).filter((cidr) => overlap(parseNetwork(cidr), pool));
  if (routes.length === 0) return "";
  const few = routes.slice(0, 4).join(", ") + (routes.length > 4 ? ", …" : "");
  return ` and the host's own routes ${few} overlap it`;
}

function sandboxNetwork(address: number): SandboxNetwork {
  return {
    subnet: `${formatAddress(address)}/${sandboxBits}`,
    address: formatAddress(address + 2),
  };
}

/** `10.210.0.0/16` to numbers; host bits are cleared, as routers do. */
export function parseNetwork(cidr: string): Network {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(cidr);
  const bytes = match?.slice(1, 5).map(Number) ?? [];
  const bits = Number(match?.[5]);
  if (!match || bytes.some((byte) => byte > 255) || bits > 32) {
    throw new RangeError(`"${cidr}" is no IPv4 network in CIDR notation`);
  }
  const size = 2 ** (32 - bits);
  const address = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
  return { address: address - (address % size), bits };
}

/** Whether two networks have an address in common. */
export function overlap(a: Network, b: Network): boolean {
  return a.address < b.address + 2 ** (32 - b.bits) && b.address < a.address + 2 ** (32 - a.bits);
}

function formatAddress(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
}

/** IPv4 networks the host has routes to, in CIDR notation. */
export async function readHostNetworks(file = "/proc/net/route"): Promise<string[]> {
  return parseRouteTable(await readFile(file, "utf8"));
}

/** A network of `/proc/net/route`, in CIDR notation, and the interface it is reached by (`*`: none). */
export interface HostRoute {
  network: string;
  device: string;
}

/** The networks of {@link parseRoutes}, each once. */
export function parseRouteTable(text: string): string[] {
  return [...new Set(parseRoutes(text).map(({ network }) => network))];
}

/**
 * Reads `/proc/net/route`: columns of text, a heading first; destination (2nd column) and mask (8th)
 * are the 32 bits of network order printed in the host's order (net/ipv4/fib_trie.c), so on the
 * little-endian machines that Node runs on the last byte stands first. The default route reaches
 * everything and is left out.
 */
export function parseRoutes(text: string): HostRoute[] {
  const routes: HostRoute[] = [];
  for (const line of text.split("\n").slice(1)) {
    const columns = line.trim().split(/\s+/);
    const [destination, mask] = [bytesOf(columns[1]), bytesOf(columns[7])];
    if (!destination || !mask) continue;
    const bits = mask.map((byte) => byte.toString(2).replaceAll("0", "").length);
    const length = bits.reduce((sum, count) => sum + count, 0);
    if (length === 0) continue;
    routes.push({ network: `${destination.join(".")}/${length}`, device: columns[0] ?? "*" });
  }
  return routes;
}

function bytesOf(hex: string | undefined): number[] | undefined {
  if (hex === undefined || !/^[0-9A-F]{8}$/i.test(hex)) return undefined;
  return [6, 4, 2, 0].map((start) => parseInt(hex.slice(start, start + 2), 16));
}
