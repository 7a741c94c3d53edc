import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer, type Server as TlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { listContainers, parseContainers } from "../../../src/probe/containers.js";
import { testAuthority } from "../certs/support.js";

const entry = {
  Names: ["/web"],
  Image: "nginx:1",
  State: "running",
  Ports: [
    { IP: "0.0.0.0", PrivatePort: 80, PublicPort: 21003, Type: "tcp" },
    { IP: "::", PrivatePort: 80, PublicPort: 21003, Type: "tcp" },
    { PrivatePort: 443, Type: "tcp" },
  ],
};
const told = {
  name: "web",
  image: "nginx:1",
  state: "running",
  ports: [
    { containerPort: 80, hostPort: 21003, protocol: "tcp" },
    { containerPort: 443, protocol: "tcp" },
  ],
};

describe("what an engine says of its containers", () => {
  it("is told without what nobody asked for, each port once", () => {
    expect(parseContainers(JSON.stringify([{ ...entry, Labels: { secret: "x" } }]))).toEqual([
      told,
    ]);
    expect(parseContainers("[]")).toEqual([]);
  });

  it.each(["", "null", "{}", "[", '"x"', "[".repeat(200_000)])(
    "is refused when it is no list (%.10s)",
    (body) => {
      expect(() => parseContainers(body)).toThrow(/no list/);
    },
  );

  it("is left out where it is nonsense, and bounded where it is much", () => {
    const strange = [null, 7, {}, { ...entry, Names: [] }, { ...entry, Image: 5 }];
    expect(parseContainers(JSON.stringify([...strange, entry]))).toEqual([told]);
    const many = Array.from({ length: 5_000 }, () => entry);
    expect(parseContainers(JSON.stringify(many))).toHaveLength(100);
    const ports = Array.from({ length: 5_000 }, (_, i) => ({ PrivatePort: i + 1, Type: "tcp" }));
    const [one] = parseContainers(JSON.stringify([{ ...entry, Ports: [...ports, "x"] }]));
    expect(one?.ports).toHaveLength(50);
  });

  it("has no character that steers a terminal or turns text around, and no endless name", () => {
    const hostile = "/a\u001b[31m\u202eb\u0000c\u2028d" + "x".repeat(10_000);
    const [one] = parseContainers(JSON.stringify([{ ...entry, Names: [hostile] }]));
    expect(one?.name).toHaveLength(199);
    expect(one?.name).toMatch(/^a\?\[31m\?b\?c\?dx+$/);
    const ports = [
      { PrivatePort: 99_999, Type: "tcp" },
      { PrivatePort: 80, Type: "<script>" },
    ];
    expect(parseContainers(JSON.stringify([{ ...entry, Ports: ports }]))[0]?.ports).toEqual([]);
  });
});

describe("an engine", () => {
  const servers: (Server | TlsServer)[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  });

  /** An engine of this sandbox, by its certificate, that answers so. */
  async function peerThat(answer: RequestListener) {
    const { authority } = await testAuthority();
    const sandboxId = "k3x9f2ab";
    const made = await authority.issueForSandbox({ sandboxId, hosts: ["127.0.0.1"] });
    const { caPem, serverCertPem: cert, serverKeyPem: key } = made;
    const own = await authority.issueOwn({ sandboxId, caPem });
    const engine = createTlsServer(
      { cert, key, ca: caPem, requestCert: true, rejectUnauthorized: true },
      answer,
    );
    servers.push(engine);
    engine.listen(0, "127.0.0.1");
    await once(engine, "listening");
    const { port } = engine.address() as AddressInfo;
    return { address: "127.0.0.1", port, caPem, ...own };
  }

  it("is asked over mutual TLS", async () => {
    const asked: string[] = [];
    const peer = await peerThat((request, response) => {
      asked.push(`${request.method ?? ""} ${request.url ?? ""}`);
      response.end(JSON.stringify([entry]));
    });
    expect(await listContainers(peer)).toEqual([told]);
    expect(asked).toEqual(["GET /containers/json"]);
  });

  it.each<[string, RequestListener, RegExp]>([
    ["refuses", (_, response) => response.writeHead(500).end("[]"), /answered 500/],
    [
      "does not stop talking",
      (_, response) => {
        const more = () => response.write(" ".repeat(65_536), () => setImmediate(more));
        more();
      },
      /too long/,
    ],
    ["hangs up", (_, response) => response.destroy(), /hang up|socket/],
    [
      "hangs up in the middle",
      (_, response) => {
        response.writeHead(200, { "content-length": "100" });
        response.write("[", () => response.destroy());
      },
      /aborted/,
    ],
    ["sends elsewhere", (_, response) => response.writeHead(302, { location: "/x" }).end(), /302/],
    ["says nothing", () => undefined, /in time/],
    [
      "says a word now and then",
      (_, response) => {
        const drip = setInterval(() => response.write(" "), 500);
        response.on("close", () => {
          clearInterval(drip);
        });
      },
      /in time/,
    ],
  ])("that %s is waited for no longer than that", async (_what, answer, why) => {
    const peer = await peerThat(answer);
    const begun = performance.now();
    await expect(listContainers(peer)).rejects.toMatchObject({
      code: "ENGINE_UNREACHABLE",
      message: expect.stringMatching(why) as string,
    });
    expect(performance.now() - begun).toBeLessThan(4_500);
  });

  it("that is another than the sandbox's is not believed", async () => {
    const stranger = createServer((_, response) => response.end("[]"));
    servers.push(stranger);
    stranger.listen(0, "127.0.0.1");
    await once(stranger, "listening");
    const peer = await peerThat((_, response) => response.end("[]"));
    const { port } = stranger.address() as AddressInfo;
    await expect(listContainers({ ...peer, port })).rejects.toMatchObject({
      code: "ENGINE_UNREACHABLE",
    });
  });
});
