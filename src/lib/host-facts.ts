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

/** More than any container of today needs; what Docker's own packages give. */
const openFilesWanted = 1_048_576;
/** In capabilities(7); allows to raise hard limits and to resize a mounted ext4, among the rest. */
const capSysResource = 24n;

/** Whether this process has CAP_SYS_RESOURCE, which a host's root lacks where the host is a container. */
export async function hasSysResource(): Promise<boolean> {
  const status = await readFile("/proc/self/status", "utf8");
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? "0"}`);
  return ((effective >> capSysResource) & 1n) === 1n;
}

/**
 * How many open files a sandbox's processes may be allowed (RLIMIT_NOFILE). Where the host's root
 * lacks CAP_SYS_RESOURCE, as in a container, nobody can go above the hard limit we have ourselves.
 */
export async function openFilesLimit(): Promise<number> {
  if (await hasSysResource()) return openFilesWanted;
  const limits = await readFile("/proc/self/limits", "utf8");
  const hard = Number(/^Max open files\s+\d+\s+(\d+)/m.exec(limits)?.[1] ?? openFilesWanted);
  return Math.min(hard, openFilesWanted);
}
