import { createSocket } from "node:dgram";
import { createServer } from "node:net";
import { codeOf } from "../lib/errors.js";

/** Both, for a program may listen on one only; `::` would else cover IPv4 too and hide which failed. */
const addresses = [
  { host: "0.0.0.0", type: "udp4" },
  { host: "::", type: "udp6" },
] as const;

/**
 * Of these ports, those that cannot be bound on some address, as TCP or as UDP: something listens
 * there. Bound for an instant only; ports that another program merely translates do not show.
 */
export async function findTakenPorts(ports: readonly number[]): Promise<number[]> {
  const taken = await Promise.all(ports.map(isTaken));
  return ports.filter((_, index) => taken[index]);
}

async function isTaken(port: number): Promise<boolean> {
  const tries = addresses.flatMap(({ host, type }) => [
    tryTcp(host, port),
    tryUdp(host, type, port),
  ]);
  const codes = await Promise.all(tries);
  // EAFNOSUPPORT and EADDRNOTAVAIL: no IPv6 here, so nobody listens there.
  return codes.some((code) => code === "EADDRINUSE" || code === "EACCES");
}

/** The error's code; undefined when the port could be bound. */
function tryTcp(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", (error) => {
      resolve(codeOf(error));
    });
    server.listen({ host, port, exclusive: true, ipv6Only: true }, () => {
      server.close(() => {
        resolve(undefined);
      });
    });
  });
}

function tryUdp(address: string, type: "udp4" | "udp6", port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket({ type, ipv6Only: type === "udp6" });
    socket.once("error", (error) => {
      socket.close();
      resolve(codeOf(error));
    });
    socket.bind({ address, port, exclusive: true }, () => {
      socket.close(() => {
        resolve(undefined);
      });
    });
  });
}
