import { generateKeyPairSync } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import forge from "node-forge";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  belongsInHost,
  chooseConnection,
  findEmbeddedHost,
  startTimeOf,
} from "../../../src/cli/connection.js";
import { unreachable } from "../../../src/cli/unreachable.js";
import { Bench } from "./support.js";

const settings = {
  socket: "/run/berth/berth.sock",
  embeddedStateFile: "/run/berth-host/state.json",
};
const embeddedHost = { pid: 42, socket: "/proc/42/root/run/berth/berth.sock" };

describe("which API is asked", () => {
  it("is BERTH_URL before all else", () => {
    const asked = { ...settings, url: "https://berth.example.org/", token: "t\n" };
    expect(chooseConnection(asked, { socketExists: true, embeddedHost })).toEqual({
      kind: "url",
      url: "https://berth.example.org",
      token: "t",
    });
  });

  it("is this machine's socket before the embedded host's", () => {
    expect(chooseConnection(settings, { socketExists: true, embeddedHost })).toEqual({
      kind: "socket",
      socket: settings.socket,
    });
  });

  it("is the embedded host's when this machine has none", () => {
    expect(chooseConnection(settings, { socketExists: false, embeddedHost })).toEqual({
      kind: "embedded",
      ...embeddedHost,
    });
  });

  it("is this machine's socket when there is nothing, so that the error names it", () => {
    expect(chooseConnection(settings, { socketExists: false }).kind).toBe("socket");
  });

  it.each(["berth.example.org", "ftp://host", "http://"])("cannot be %s", (url) => {
    const choose = () => chooseConnection({ ...settings, url }, { socketExists: false });
    expect(choose).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }) as Error);
  });

  it("cannot be a socket path longer than the kernel takes", () => {
    const socket = `/${"x".repeat(107)}`;
    const choose = () => chooseConnection({ ...settings, socket }, { socketExists: true });
    expect(choose).toThrow("longer than 107 bytes");
  });
});

it.each([
  { runDirExists: false, embeddedUp: true, inHost: true },
  { runDirExists: true, embeddedUp: true, inHost: false },
  { runDirExists: false, embeddedUp: false, inHost: false },
])("local verbs belong in the embedded host: %o", ({ inHost, ...sight }) => {
  expect(belongsInHost(sight)).toBe(inHost);
});

describe("the embedded host", () => {
  let bench: Bench;
  const statOf = (comm: string, startTime: number) =>
    `42 (${comm}) S ${Array.from({ length: 18 }, (_, i) => i).join(" ")} ${startTime} 1 2 3\n`;
  const find = () =>
    findEmbeddedHost({
      socket: bench.socket,
      embeddedStateFile: path.join(bench.dir, "state.json"),
      procDir: bench.dir,
    });
  const writeState = (text: string) => writeFile(path.join(bench.dir, "state.json"), text);

  beforeEach(async () => {
    bench = await Bench.start();
    await mkdir(path.join(bench.dir, "42"));
    await writeFile(path.join(bench.dir, "42/stat"), statOf("systemd", 777));
  });
  afterEach(() => bench[Symbol.asyncDispose]());

  it("is up while the process of the state file lives", async () => {
    await writeState('{"pid":42,"startTime":777,"address":"10.83.0.2","root":"/x"}');
    const socket = path.join(bench.dir, "42/root/run/berth/berth.sock");
    expect(await find()).toEqual({ pid: 42, socket });
  });

  it.each([
    ["its pid is another process's now", '{"pid":42,"startTime":776}'],
    ["its process is gone", '{"pid":43,"startTime":777}'],
    ["the state file is half written", '{"pid":42,'],
    ["the state file is something else", "[]"],
  ])("is not up when %s", async (_why, text) => {
    await writeState(text);
    expect(await find()).toBeUndefined();
  });

  it("is not up without a state file", async () => {
    expect(await find()).toBeUndefined();
  });

  it("is told by field 22 of stat, whatever the program is called", () => {
    expect(startTimeOf(statOf("a) S 1 (b", 123456))).toBe(123456);
  });
});

function selfSigned(): { key: string; cert: string } {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    privateKeyEncoding: { type: "pkcs1", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.publicKeyFromPem(publicKey);
  certificate.validity.notAfter = new Date(Date.now() + 3_600_000);
  certificate.setSubject([{ name: "commonName", value: "localhost" }]);
  certificate.setIssuer([{ name: "commonName", value: "localhost" }]);
  const altNames = [{ type: 2, value: "localhost" }];
  certificate.setExtensions([{ name: "subjectAltName", altNames }]);
  certificate.sign(forge.pki.privateKeyFromPem(privateKey), forge.md.sha256.create());
  return { key: privateKey, cert: forge.pki.certificateToPem(certificate) };
}

describe("a daemon that does not answer", () => {
  let bench: Bench;
  beforeEach(async () => {
    bench = await Bench.start();
  });
  afterEach(() => bench[Symbol.asyncDispose]());

  it("is DAEMON_UNREACHABLE with what was tried and the ways out", async () => {
    await bench.api.close();
    const { code, stderr } = await bench.berth(["list"]);
    expect(code).toBe(1);
    expect(stderr).toContain(`no answer from the Berth daemon at ${bench.socket} (ENOENT)`);
    for (const way of ["systemctl start berth", "scripts/host up", "BERTH_URL"]) {
      expect(stderr).toContain(way);
    }
    expect(stderr).toContain("(DAEMON_UNREACHABLE)");
  });

  it("is FORBIDDEN when the socket may not be opened, and names root and BERTH_URL", () => {
    const denied = Object.assign(new Error("connect EACCES"), { code: "EACCES" });
    const error = unreachable({ kind: "socket", socket: settings.socket }, denied, 1000);
    expect(error.code).toBe("FORBIDDEN");
    expect(error.message).toContain("you are uid 1000");
    expect(error.message).toContain("BERTH_TOKEN");
  });

  it("has its certificate's CA asked for when that is what is wrong", () => {
    const url = "https://berth.example.org";
    const fault = Object.assign(new Error("no"), { code: "DEPTH_ZERO_SELF_SIGNED_CERT" });
    expect(unreachable({ kind: "url", url }, fault).message).toContain("BERTH_CA");
  });

  it("is found over https when BERTH_CA names the CA of its certificate", async () => {
    const { createServer } = await import("node:https");
    const { key, cert } = selfSigned();
    const server = createServer({ key, cert }, (_, response) => {
      response.end('{"sandboxes":[]}');
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const caFile = path.join(bench.dir, "ca.pem");
    await writeFile(caFile, cert);
    const connection = { ...settings, url: `https://localhost:${port}` };
    const untrusting = await bench.berth(["list"], { connection });
    expect(untrusting.code).toBe(1);
    expect(untrusting.stderr).toContain("name the file of the CA that made it in BERTH_CA");
    const trusting = { connection: { ...connection, caFile } };
    expect((await bench.berth(["list", "--json"], trusting)).code).toBe(0);
    server.close();
  });

  it("is told apart from a server that is no Berth", async () => {
    const { createServer } = await import("node:http");
    const stranger = createServer((_, response) => response.writeHead(502).end("<html>"));
    await new Promise<void>((resolve) => stranger.listen(0, "127.0.0.1", resolve));
    const { port } = stranger.address() as { port: number };
    const connection = { ...settings, url: `http://127.0.0.1:${port}` };
    const { code, stderr } = await bench.berth(["list"], { connection });
    stranger.close();
    expect(code).toBe(1);
    expect(stderr).toContain("answered 502, and not as a Berth does");
  });
});
