import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FreshKey } from "../../../src/certs/key.js";
import { generateKey } from "../../../src/certs/key-pool.js";
import { selfMadeCertificate } from "../../../src/certs/self-made.js";
import { serverExtensions, signCertificate } from "../../../src/certs/x509.js";
import { parseConfig } from "../../../src/config.js";
import { checkHttps, checkSignIn } from "../../../src/doctor/https.js";

const config = (given: object) => parseConfig(given, "test config");
const text = (part: string) => expect.stringContaining(part) as string;

let dir: string;
let key: FreshKey;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "berth-doctor-"));
  key = await generateKey();
});
afterAll(() => rm(dir, { recursive: true }));

const now = new Date("2027-03-01T12:00:00Z");
const inDays = (days: number) => new Date(now.getTime() + days * 86_400_000);

describe("doctor on plain HTTP", () => {
  it.each([
    ["ok", "on loopback", {}],
    [
      "ok",
      "behind a proxy with HTTPS",
      { publicUrl: "https://b.test", listen: { host: "10.0.0.1", plainHttp: true } },
    ],
    ["warning", "for others", { listen: { host: "0.0.0.0", plainHttp: true } }],
  ])("is %s %s: cookies go to published ports as well", async (status, _where, given) => {
    expect(await checkHttps(config(given))).toMatchObject({ check: "https", status });
  });
});

describe("doctor on a certificate of the operator's", () => {
  const certificate = (from: Date, to: Date) =>
    signCertificate(
      {
        subject: "berth.test",
        issuer: "berth.test",
        publicKey: key.publicKey,
        notBefore: from,
        notAfter: to,
        extensions: serverExtensions(Buffer.alloc(20, 1), ["berth.test"]),
      },
      key.privateKey,
    );
  const look = async (certPem: string, keyPem: string) => {
    const tls = { cert: join(dir, "cert.pem"), key: join(dir, "key.pem") };
    await writeFile(tls.cert, certPem);
    await writeFile(tls.key, keyPem);
    return checkHttps(config({ listen: { tls } }), now);
  };

  it.each([
    ["ok", "a year", -1, 364, "until 2028-02-28"],
    ["ok", "six days, of which three are left", -3, 3, "until 2027-03-04"],
    ["warning", "a year that is nearly over", -355, 10, "ends 2027-03-11"],
    ["warning", "six days that are nearly over", -5, 1, "ends 2027-03-02"],
    ["failure", "a time that is over", -90, -1, "ended 2027-02-28"],
    ["failure", "a time to come", 1, 90, "is not good before 2027-03-02"],
  ])("is %s for %s", async (status, _time, from, to, what) => {
    expect(await look(certificate(inDays(from), inDays(to)), key.pem)).toMatchObject({
      check: "https",
      status,
      what: text(what),
    });
  });

  it("fails on a key of another certificate, and on what is none", async () => {
    const good = certificate(inDays(-1), inDays(90));
    const other = await generateKey();
    for (const [certPem, keyPem, what] of [
      [good, other.pem, "the key is another certificate's"],
      [good, "no key", "cannot serve with"],
      ["no certificate", key.pem, "cannot serve with"],
    ] as const) {
      const found = await look(certPem, keyPem);
      expect(found).toMatchObject({ check: "https", status: "failure", what: text(what) });
    }
  });

  it("fails on a file that is not there, and names it", async () => {
    const tls = { cert: join(dir, "cert.pem"), key: join(dir, "gone.pem") };
    expect(await checkHttps(config({ listen: { tls } }), now)).toMatchObject({
      status: "failure",
      what: text(`listen.tls.key: cannot read ${tls.key}`),
    });
  });
});

describe("doctor on Berth's own certificate", () => {
  it.each([
    ["ok", "fresh", 1],
    ["warning", "nearly over", 815],
    ["failure", "over", 821],
  ])("is %s when it is %s", async (status, _when, days) => {
    const keys = { take: () => Promise.resolve(key) };
    await selfMadeCertificate({ directory: dir, hosts: ["berth.test"], keys, now: () => now });
    const found = await checkHttps(config({ listen: { tls: "self" }, dataDir: dir }), inDays(days));
    expect(found).toMatchObject({ check: "https", status });
    if (status !== "ok") expect(found.fix).toContain("systemctl restart berth");
  });
});

describe("doctor on a proxy's header", () => {
  it.each([
    ["ok", {}],
    ["ok", { proxy: { header: "Remote-User", from: ["10.0.0.2"] } }],
    ["warning", { proxy: { header: "Remote-User", from: ["10.0.0.2", "127.0.0.0/8"] } }],
    ["warning", { proxy: { header: "Remote-User", from: ["::1"] } }],
  ])("is %s with %j", async (status, signIn) => {
    expect(await checkSignIn(config({ signIn }))).toMatchObject({ check: "sign-in", status });
  });
});

describe("doctor on files with secrets", () => {
  const secret = "s3cret-of-the-test";
  const proxy = (secretFile: string) => ({
    proxy: { header: "Remote-User", from: ["127.0.0.1"], secretFile },
  });
  const oidc = (clientSecretFile: string) => ({
    oidc: { issuer: "https://id.test", clientId: "berth", clientSecretFile },
  });
  it.each<[string, string, (file: string) => object, string | undefined]>([
    ["ok", "a proxy's that is there", proxy, secret],
    ["failure", "a proxy's that is not there", proxy, undefined],
    ["failure", "a proxy's that is empty", proxy, "\n"],
    ["ok", "a provider's that is there", oidc, secret],
    ["failure", "a provider's that is not there", oidc, undefined],
    ["failure", "a provider's that is empty", oidc, " "],
  ])("is %s with %s", async (status, _which, signIn, content) => {
    const file = join(dir, content === undefined ? "no-secret" : "secret");
    if (content !== undefined) await writeFile(file, content);
    const url = "https://berth.test";
    const found = await checkSignIn(config({ signIn: signIn(file), publicUrl: url }));
    expect(found).toMatchObject({ check: "sign-in", status });
    if (status !== "ok") expect(found.what).toContain(file);
    expect(JSON.stringify(found)).not.toContain(secret);
  });
});
