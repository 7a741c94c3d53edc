import { createSocket } from "node:dgram";
import { getServers } from "node:dns";
import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { ignoring } from "./errors.js";

/** The address from which this host reaches others: the one its default route goes out by. */
export async function defaultAddress(): Promise<string> {
  const socket = createSocket("udp4");
  try {
    // Connecting a datagram socket sends nothing; the kernel picks the route and with it our address.
    await new Promise<void>((resolve, reject) => {
      socket.once("error", reject);
      socket.connect(9, "192.0.2.1", resolve);
    });
    return socket.address().address;
  } catch {
    return hostname();
  } finally {
    socket.close();
  }
}

const isLoopback = (address: string): boolean => address.startsWith("127.") || address === "::1";

/**
 * Resolvers that work from a sandbox too. A loopback one (systemd-resolved's stub) does not; then
 * those behind it are read (systemd-resolved.service(8)).
 */
export async function reachableResolvers(): Promise<string[]> {
  const direct = getServers().filter((address) => !isLoopback(address));
  if (direct.length > 0) return direct;
  const behindStub = await ignoring(readFile("/run/systemd/resolve/resolv.conf", "utf8"), "ENOENT");
  return [...(behindStub ?? "").matchAll(/^nameserver\s+(\S+)/gm)]
    .map(([, address]) => address ?? "")
    .filter((address) => address !== "" && !isLoopback(address));
}

/** Whether this is the embedded host that scripts/host boots (systemd writes down what $container said). */
export async function isEmbeddedHost(): Promise<boolean> {
  const container = await ignoring(readFile("/run/systemd/container", "utf8"), "ENOENT");
  return container?.trim() === "berth";
}
