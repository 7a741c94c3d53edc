import { randomBytes, X509Certificate } from "node:crypto";
import { lstat, readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { join } from "node:path";
import { BerthError, ignoring } from "../lib/errors.js";
import { writeWhole } from "../lib/write-whole.js";
import type { FreshKey } from "./key.js";
import { serverExtensions, signCertificate } from "./x509.js";

const dayMs = 86_400_000;
/** The longest that Apple's systems take of any server certificate. */
const lifetimeMs = 820 * dayMs;
const renewalMs = 30 * dayMs;
const backdatedMs = 10 * 60_000;

/** Key and certificate in one file, so that there is never one without the other. */
const file = "https.pem";

export interface SelfMade {
  certPem: string;
  keyPem: string;
  /** SHA-256, as browsers show it. */
  fingerprint: string;
  expiresAt: Date;
}

/**
 * The certificate that page and API present where the operator has none, signed by itself; made at
 * first use, and again a month before its end or when it lacks a name that clients dial.
 * @throws BerthError RECORD_INVALID when the file is open to others
 */
export async function selfMadeCertificate(options: {
  directory: string;
  hosts: string[];
  keys: { take(): Promise<FreshKey> };
  now?: () => Date;
}): Promise<SelfMade> {
  const { directory, hosts, keys, now = () => new Date() } = options;
  const known = await readSelfMade(directory);
  if (known && isGood(known, hosts, now())) return known;
  const key = await keys.take();
  const certPem = signCertificate(
    {
      subject: hosts[0] ?? "berth",
      issuer: hosts[0] ?? "berth",
      publicKey: key.publicKey,
      notBefore: new Date(now().getTime() - backdatedMs),
      notAfter: new Date(now().getTime() + lifetimeMs),
      extensions: serverExtensions(randomBytes(20), hosts).filter(
        // It is its own authority.
        ({ name }) => name !== "authorityKeyIdentifier",
      ),
    },
    key.privateKey,
  );
  await writeWhole(join(directory, file), key.pem + certPem);
  return selfMadeOf(key.pem + certPem);
}

/** The one that is there, if any. @throws BerthError RECORD_INVALID */
export async function readSelfMade(directory: string): Promise<SelfMade | undefined> {
  const path = join(directory, file);
  const stat = await ignoring(lstat(path), "ENOENT");
  if (!stat) return undefined;
  if (!stat.isFile() || (stat.mode & 0o077) !== 0) {
    throw new BerthError(
      "RECORD_INVALID",
      `cannot use ${path}: others than its owner may read its key, or it is no file; remove it, and Berth makes another`,
    );
  }
  try {
    return selfMadeOf(await readFile(path, "utf8"));
  } catch {
    // What does not parse is made anew: nothing but this hangs on it.
    return undefined;
  }
}

function selfMadeOf(pem: string): SelfMade {
  const begin = pem.indexOf("-----BEGIN CERTIFICATE-----");
  const certificate = new X509Certificate(pem.slice(begin));
  return {
    keyPem: pem.slice(0, begin),
    certPem: pem.slice(begin),
    fingerprint: certificate.fingerprint256,
    expiresAt: new Date(certificate.validTo),
  };
}

function isGood({ certPem, expiresAt }: SelfMade, hosts: string[], now: Date): boolean {
  if (expiresAt.getTime() - now.getTime() < renewalMs) return false;
  const certificate = new X509Certificate(certPem);
  return hosts.every((host) =>
    isIP(host)
      ? certificate.checkIP(host) !== undefined
      : certificate.checkHost(host) !== undefined,
  );
}
