import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { inspect } from "node:util";
import { execa } from "execa";
import { beforeAll, describe, expect, it } from "vitest";
import { CertificateAuthority } from "../../../src/certs/authority.js";
import type { KeyAndCertificate, SandboxCertificates } from "../../../src/lib/model.js";
import { handshake, sharedKeys, temporaryDirectory, testAuthority } from "./support.js";

const hourMs = 3_600_000;
const hosts = ["localhost", "build.example.org", "127.0.0.1", "2001:db8::7", "[::1]"];
const inFuture = (from: Date, hours: number) => new Date(from.getTime() + hours * hourMs);
const x509 = (pem: string) => new X509Certificate(pem);
const serial = (pem: string) => BigInt(`0x${x509(pem).serialNumber}`);

describe("a sandbox's certificates", () => {
  let sandbox: SandboxCertificates;
  beforeAll(async () => {
    const { authority } = await testAuthority();
    sandbox = await authority.issueForSandbox({ sandboxId: "a1b2c3d4", hosts });
  });

  it("come with a CA that names the sandbox, signs certificates only and holds for ten years", () => {
    const ca = x509(sandbox.caPem);
    expect(ca.subject).toBe("CN=berth sandbox a1b2c3d4");
    expect(ca.ca).toBe(true);
    expect(ca.verify(ca.publicKey)).toBe(true);
    const years = (Date.parse(ca.validTo) - Date.now()) / (365 * 24 * hourMs);
    expect(years).toBeCloseTo(10, 2);
  });

  it("have a server certificate for every name and address, under that CA", () => {
    const [ca, server] = [x509(sandbox.caPem), x509(sandbox.serverCertPem)];
    expect(server.checkIssued(ca)).toBe(true);
    expect(server.verify(ca.publicKey)).toBe(true);
    expect(server.subject).toBe("CN=a1b2c3d4");
    expect(server.subjectAltName).toBe(
      "DNS:localhost, DNS:build.example.org, IP Address:127.0.0.1, " +
        "IP Address:2001:DB8:0:0:0:0:0:7, IP Address:0:0:0:0:0:0:0:1",
    );
    // serverAuth (RFC 5280, 4.2.1.12), and no clientAuth: a sandbox cannot pose as a client.
    expect(server.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
    expect(server.validTo).toBe(ca.validTo);
    expect(server.checkPrivateKey(createPrivateKey(sandbox.serverKeyPem))).toBe(true);
  });

  it("have positive serial numbers of 127 bits, none twice", () => {
    const serials = [serial(sandbox.caPem), serial(sandbox.serverCertPem)];
    for (const number of serials) expect(number.toString(2)).toHaveLength(127);
    expect(new Set(serials).size).toBe(2);
  });

  it("satisfy OpenSSL's strict reading of RFC 5280", async ({ skip }) => {
    const openssl = await execa("openssl", ["version"], { reject: false });
    if (openssl.failed) skip("no openssl on PATH");
    const directory = await temporaryDirectory();
    const [ca, server] = [join(directory, "ca.pem"), join(directory, "server.pem")];
    await writeFile(ca, sandbox.caPem);
    await writeFile(server, sandbox.serverCertPem);
    const strict = ["-x509_strict", "-purpose", "sslserver", "-verify_ip", "2001:db8::7"];
    const { stdout } = await execa("openssl", ["verify", ...strict, "-CAfile", ca, server]);
    expect(stdout).toContain("OK");
    const { stdout: text } = await execa("openssl", ["x509", "-in", ca, "-noout", "-text"]);
    expect(text).toMatch(/Basic Constraints: critical\s+CA:TRUE, pathlen:0/);
    expect(text).toMatch(/Key Usage: critical\s+Certificate Sign\n/);
  });

  it("share the signing key with other sandboxes, but neither name nor key identifier", async () => {
    const { authority } = await testAuthority();
    const one = await authority.issueForSandbox({ sandboxId: "aaaaaaaa", hosts });
    const other = await authority.issueForSandbox({ sandboxId: "bbbbbbbb", hosts });
    const key = (pem: string) => createPublicKey(pem).export({ type: "spki", format: "pem" });
    expect(key(one.caPem)).toBe(key(other.caPem));
    // Same name, made twice: OpenSSL still tells them apart by the key identifier.
    const again = await authority.issueForSandbox({ sandboxId: "aaaaaaaa", hosts });
    expect(x509(one.serverCertPem).checkIssued(x509(one.caPem))).toBe(true);
    expect(x509(one.serverCertPem).checkIssued(x509(again.caPem))).toBe(false);
    expect(x509(one.serverCertPem).checkIssued(x509(other.caPem))).toBe(false);
  });

  it.each([["a b"], ["fe80::1%eth0"], [""], ["http://host"], ["bücher.example"]])(
    "are refused for %j, which nobody can dial",
    async (host) => {
      const { authority } = await testAuthority();
      const issued = authority.issueForSandbox({ sandboxId: "a1b2c3d4", hosts: [host] });
      await expect(issued).rejects.toMatchObject({ code: "CONFIG_INVALID" });
    },
  );

  it("are refused without any host", async () => {
    const { authority } = await testAuthority();
    await expect(
      authority.issueForSandbox({ sandboxId: "a1b2c3d4", hosts: [] }),
    ).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  });
});

describe("a client certificate", () => {
  it("names the user, is for clients only, and begins ten minutes ago", async () => {
    const { authority, clock } = await testAuthority();
    clock.now = new Date("2026-03-01T12:00:00.900Z");
    const { caPem } = await authority.issueForSandbox({ sandboxId: "a1b2c3d4", hosts });
    const client = await authority.issueClient({
      sandboxId: "a1b2c3d4",
      caPem,
      user: "ann_b.c-d",
      sandboxExpiresAt: inFuture(clock.now, 2),
    });
    const cert = x509(client.certPem);
    expect(cert.subject).toBe("CN=ann_b.c-d");
    expect(cert.keyUsage).toEqual(["1.3.6.1.5.5.7.3.2"]);
    expect(cert.ca).toBe(false);
    expect(cert.checkIssued(x509(caPem))).toBe(true);
    expect(new Date(cert.validFrom)).toEqual(new Date("2026-03-01T11:50:00Z"));
    expect(new Date(cert.validTo)).toEqual(new Date("2026-03-01T14:00:00Z"));
    expect(client.expiresAt).toEqual(new Date(cert.validTo));
    expect(cert.checkPrivateKey(createPrivateKey(client.keyPem))).toBe(true);
  });

  it("ends after 24 hours when the sandbox lives longer", async () => {
    const { authority, clock } = await testAuthority();
    clock.now = new Date("2026-03-01T12:00:00Z");
    const { caPem } = await authority.issueForSandbox({ sandboxId: "a1b2c3d4", hosts });
    const sandboxExpiresAt = inFuture(clock.now, 48);
    const request = { sandboxId: "a1b2c3d4", caPem, user: "ann", sandboxExpiresAt };
    const client = await authority.issueClient(request);
    expect(client.expiresAt).toEqual(new Date("2026-03-02T12:00:00Z"));
  });

  it("is refused when the sandbox's time is over", async () => {
    const { authority, clock } = await testAuthority();
    const { caPem } = await authority.issueForSandbox({ sandboxId: "a1b2c3d4", hosts });
    const sandboxExpiresAt = clock.now;
    const request = { sandboxId: "a1b2c3d4", caPem, user: "ann", sandboxExpiresAt };
    await expect(authority.issueClient(request)).rejects.toMatchObject({
      code: "SANDBOX_NOT_READY",
    });
  });

  it("is refused under a CA certificate of another sandbox, another signing key, or none", async () => {
    const { authority, clock } = await testAuthority();
    const { authority: stranger } = await testAuthority();
    const sandboxExpiresAt = inFuture(clock.now, 2);
    const other = await authority.issueForSandbox({ sandboxId: "bbbbbbbb", hosts });
    const foreign = await stranger.issueForSandbox({ sandboxId: "a1b2c3d4", hosts });
    const faults: [string, RegExp][] = [
      [other.caPem, /of another: CN=berth sandbox bbbbbbbb/],
      [foreign.caPem, /another signing key/],
      ["", /does not parse/],
    ];
    for (const [caPem, message] of faults) {
      const request = { sandboxId: "a1b2c3d4", caPem, user: "ann", sandboxExpiresAt };
      await expect(authority.issueClient(request)).rejects.toMatchObject({
        code: "RECORD_INVALID",
        message: expect.stringMatching(message) as string,
      });
    }
  });
});

describe("Berth's own client certificate", () => {
  it("is made once per sandbox with one key, and renewed an hour before its end", async () => {
    const { authority, clock } = await testAuthority();
    const begin = clock.now;
    const a = await authority.issueForSandbox({ sandboxId: "aaaaaaaa", hosts });
    const b = await authority.issueForSandbox({ sandboxId: "bbbbbbbb", hosts });
    const own = (sandboxId: string, { caPem }: SandboxCertificates) =>
      authority.issueOwn({ sandboxId, caPem });
    const first = await own("aaaaaaaa", a);
    const other = await own("bbbbbbbb", b);
    expect(x509(first.certPem).subject).toBe("CN=berth");
    expect(other.keyPem).toBe(first.keyPem);
    expect(other.certPem).not.toBe(first.certPem);

    clock.now = inFuture(begin, 22.9);
    expect(await own("aaaaaaaa", a)).toBe(first);
    clock.now = inFuture(begin, 23.1);
    const renewed = await own("aaaaaaaa", a);
    expect(renewed.certPem).not.toBe(first.certPem);
    expect(renewed.expiresAt.getTime()).toBeGreaterThan(inFuture(begin, 47).getTime());
  });

  it("is made anew for a sandbox whose CA certificate is another", async () => {
    const { authority } = await testAuthority();
    const sandboxId = "aaaaaaaa";
    const before = await authority.issueForSandbox({ sandboxId, hosts });
    const after = await authority.issueForSandbox({ sandboxId, hosts });
    const first = await authority.issueOwn({ sandboxId, caPem: before.caPem });
    const second = await authority.issueOwn({ sandboxId, caPem: after.caPem });
    expect(second.certPem).not.toBe(first.certPem);
  });

  it("can be had after a key could not be made at first", async () => {
    const keys = sharedKeys(1);
    const directory = await temporaryDirectory();
    const authority = await CertificateAuthority.open({ directory, keys });
    const sandboxId = "aaaaaaaa";
    const { caPem } = await authority.issueForSandbox({ sandboxId, hosts });
    const take = keys.take.bind(keys);
    keys.take = () => Promise.reject(new Error("no entropy"));
    await expect(authority.issueOwn({ sandboxId, caPem })).rejects.toThrow("no entropy");
    keys.take = take;
    await expect(authority.issueOwn({ sandboxId, caPem })).resolves.toBeDefined();
  });
});

describe("a handshake", () => {
  let authority: CertificateAuthority;
  let a: SandboxCertificates;
  let b: SandboxCertificates;
  let client: KeyAndCertificate;
  let expired: KeyAndCertificate;

  beforeAll(async () => {
    const test = await testAuthority();
    authority = test.authority;
    const realNow = test.clock.now;
    test.clock.now = inFuture(realNow, -48);
    a = await authority.issueForSandbox({ sandboxId: "aaaaaaaa", hosts });
    b = await authority.issueForSandbox({ sandboxId: "bbbbbbbb", hosts });
    const request = { sandboxId: "aaaaaaaa", caPem: a.caPem, user: "ann" };
    expired = await authority.issueClient({ ...request, sandboxExpiresAt: realNow });
    test.clock.now = realNow;
    client = await authority.issueClient({ ...request, sandboxExpiresAt: inFuture(realNow, 2) });
  });

  const dockerd = (sandbox: SandboxCertificates) => ({
    ca: sandbox.caPem,
    cert: sandbox.serverCertPem,
    key: sandbox.serverKeyPem,
  });
  const docker = (sandbox: SandboxCertificates, own: KeyAndCertificate) => ({
    ca: sandbox.caPem,
    cert: own.certPem,
    key: own.keyPem,
  });

  it("succeeds between a sandbox and its own client, by name and by address", async () => {
    for (const servername of ["localhost", ""]) {
      const outcome = await handshake(dockerd(a), { ...docker(a, client), servername });
      expect(outcome).toEqual({ accepted: "ann" });
    }
  });

  it("succeeds between a sandbox and Berth itself", async () => {
    const own = await authority.issueOwn({ sandboxId: "aaaaaaaa", caPem: a.caPem });
    expect(await handshake(dockerd(a), docker(a, own))).toEqual({ accepted: "berth" });
  });

  it("is refused by the server to a client of another sandbox, though the same key signed it", async () => {
    // The client trusts b, so that only the server can object.
    const outcome = await handshake(dockerd(b), docker(b, client));
    expect(outcome).toEqual({ refusedBy: "server", reason: "UNABLE_TO_VERIFY_LEAF_SIGNATURE" });
  });

  it("is refused by the client to a server of another sandbox", async () => {
    const outcome = await handshake({ ...dockerd(b), ca: a.caPem }, docker(a, client));
    expect(outcome).toEqual({ refusedBy: "client", reason: "UNABLE_TO_VERIFY_LEAF_SIGNATURE" });
  });

  it("is refused by the server to a client whose certificate is over", async () => {
    const outcome = await handshake(dockerd(a), docker(a, expired));
    expect(outcome).toEqual({ refusedBy: "server", reason: "CERT_HAS_EXPIRED" });
  });

  it("is refused by the server to a client without certificate, and to the sandbox's own server certificate", async () => {
    expect(await handshake(dockerd(a), { ca: a.caPem })).toEqual({
      refusedBy: "server",
      reason: "UNABLE_TO_GET_ISSUER_CERT",
    });
    const posing = { ca: a.caPem, cert: a.serverCertPem, key: a.serverKeyPem };
    expect(await handshake(dockerd(a), posing)).toEqual({
      refusedBy: "server",
      reason: "INVALID_PURPOSE",
    });
  });
});

it("shows no key when what it issued, or the authority itself, is logged", async () => {
  const { authority, clock } = await testAuthority();
  const sandbox = await authority.issueForSandbox({ sandboxId: "a1b2c3d4", hosts });
  const { caPem } = sandbox;
  const request = { sandboxId: "a1b2c3d4", caPem, user: "ann" };
  const client = await authority.issueClient({
    ...request,
    sandboxExpiresAt: inFuture(clock.now, 1),
  });
  await authority.issueOwn({ sandboxId: "a1b2c3d4", caPem });
  const key = await sharedKeys(1).take();
  expect(key.pem).toContain("PRIVATE KEY");
  for (const thing of [sandbox, client, authority, key]) {
    expect(JSON.stringify({ thing })).not.toContain("PRIVATE");
    expect(inspect({ thing }, { depth: 9, showHidden: true })).not.toContain("PRIVATE");
  }
  // Callers may still copy the fields.
  expect({ ...client }.keyPem).toContain("PRIVATE KEY");
});
