import { X509Certificate } from "node:crypto";
import { chmod, readFile, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { connect } from "node:tls";
import { beforeEach, describe, expect, it } from "vitest";
import { selfMadeCertificate } from "../../../src/certs/self-made.js";
import { sharedKeys, temporaryDirectory } from "./support.js";

const day = 86_400_000;
let directory: string;
let now: Date;
const keys = sharedKeys();
const hosts = ["berth.example.edu", "192.0.2.7", "localhost", "127.0.0.1"];
const make = (names = hosts) =>
  selfMadeCertificate({ directory, hosts: names, keys, now: () => now });
beforeEach(async () => {
  directory = await temporaryDirectory();
  now = new Date();
});

describe("a certificate of Berth's own making", () => {
  it("is for every name that clients dial, and trusted by who is given it", async () => {
    const { certPem, keyPem, fingerprint } = await make();
    const certificate = new X509Certificate(certPem);
    expect(certificate.fingerprint256).toBe(fingerprint);
    expect(certificate.checkHost("berth.example.edu")).toBe("berth.example.edu");
    expect(certificate.checkIP("192.0.2.7")).toBe("192.0.2.7");
    expect(certificate.checkHost("other.example.edu")).toBeUndefined();
    const server = createServer({ cert: certPem, key: keyPem }).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as AddressInfo;
    const socket = connect({ port, host: "127.0.0.1", servername: "localhost", ca: certPem });
    await new Promise((resolve, reject) =>
      socket.once("secureConnect", resolve).once("error", reject),
    );
    expect(socket.authorized).toBe(true);
    socket.destroy();
    server.close();
  });

  it("stays the same, in a file that its owner alone reads", async () => {
    const first = await make();
    expect(await make()).toEqual(first);
    expect((await stat(join(directory, "https.pem"))).mode & 0o777).toBe(0o600);
  });

  it("is made anew a month before its end, and for another name", async () => {
    const first = await make();
    now = new Date(first.expiresAt.getTime() - 29 * day);
    const second = await make();
    expect(second.fingerprint).not.toBe(first.fingerprint);
    const third = await make([...hosts, "new.example.edu"]);
    expect(third.fingerprint).not.toBe(second.fingerprint);
    expect((await make()).fingerprint).toBe(third.fingerprint);
  });

  it("is made anew when its file is damaged, but not taken from where others can read it", async () => {
    const path = join(directory, "https.pem");
    await writeFile(path, "half", { mode: 0o600 });
    await make();
    expect(await readFile(path, "utf8")).toContain("BEGIN CERTIFICATE");
    await chmod(path, 0o644);
    await expect(make()).rejects.toMatchObject({ code: "RECORD_INVALID" });
  });
});
