import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { findTakenPorts } from "../../../src/door/taken-ports.js";

const servers: { close: (done: () => void) => unknown }[] = [];
const closeAll = () =>
  Promise.all(servers.splice(0).map((server) => new Promise<void>((done) => server.close(done))));
afterEach(closeAll);

async function listen(host: string): Promise<number> {
  const server = createServer().listen(0, host);
  servers.push(server);
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

describe("findTakenPorts", () => {
  it.each(["127.0.0.1", "0.0.0.0"])("finds a program that listens on %s", async (host) => {
    const port = await listen(host);
    expect(await findTakenPorts([port])).toEqual([port]);
  });

  it("finds a program that takes UDP only", async () => {
    const socket = createSocket("udp4").bind(0, "127.0.0.1");
    servers.push(socket);
    await once(socket, "listening");
    const { port } = socket.address();
    expect(await findTakenPorts([port])).toEqual([port]);
  });

  it("lets go of free ports at once, so that asking twice gives the same answer", async () => {
    const port = await listen("127.0.0.1");
    await closeAll();
    expect(await findTakenPorts([port])).toEqual([]);
    expect(await findTakenPorts([port])).toEqual([]);
  });

  it("asks about nothing for no port", async () => {
    expect(await findTakenPorts([])).toEqual([]);
  });
});
