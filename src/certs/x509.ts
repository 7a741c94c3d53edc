import { randomBytes, sign, type KeyObject } from "node:crypto";
import { isIP } from "node:net";
import forge from "node-forge";
import { BerthError } from "../lib/errors.js";

/** What goes into a certificate; the profile is RFC 5280's, section numbers are its. */
export interface CertificateContent {
  /** Common names (4.1.2.4, 4.1.2.6), at most 64 characters each (appendix A.1, ub-common-name). */
  subject: string;
  issuer: string;
  publicKey: forge.pki.rsa.PublicKey;
  /** First and last second at which it holds (4.1.2.5); fractions are cut off. */
  notBefore: Date;
  notAfter: Date;
  extensions: Extension[];
}

/** As node-forge takes them: `name` and `critical`, the rest depends on the name. */
export type Extension = Record<string, unknown>;

/**
 * A signed certificate in PEM (sha256WithRSAEncryption).
 *
 * node-forge encodes, node:crypto signs: forge's own arithmetic in JavaScript takes 25 to 33 ms
 * (85 to 93 when cold) and blocks the event loop, the native one 0.4 ms (1.3 when cold), encoding
 * included; measured with RSA-2048 on the two cores Berth is developed on.
 */
export function signCertificate(content: CertificateContent, signingKey: KeyObject): string {
  const certificate = forge.pki.createCertificate();
  certificate.serialNumber = randomSerial();
  certificate.publicKey = content.publicKey;
  certificate.validity.notBefore = content.notBefore;
  certificate.validity.notAfter = content.notAfter;
  certificate.setSubject(commonName(content.subject));
  certificate.setIssuer(commonName(content.issuer));
  certificate.setExtensions(content.extensions);

  // forge's sign() hands the DER of tbsCertificate to md.update() and what comes of it to key.sign():
  // the "digest" here only keeps the bytes, and the "key" hashes and signs them natively.
  let tbsCertificate = Buffer.alloc(0);
  const md = {
    algorithm: "sha256",
    update: (der: string) => (tbsCertificate = Buffer.from(der, "binary")),
  } as unknown as forge.md.MessageDigest;
  const key = {
    sign: () => sign("sha256", tbsCertificate, signingKey).toString("binary"),
  } as unknown as forge.pki.rsa.PrivateKey;
  certificate.sign(key, md);
  return forge.pki.certificateToPem(certificate);
}

/**
 * UTF8String, as 4.1.2.4 wants: forge would say PrintableString, which has no underscore, and
 * users do (Go's parser, dockerd's, refuses such a certificate).
 */
function commonName(value: string): forge.pki.CertificateField[] {
  const utf8 = forge.asn1.Type.UTF8 as unknown as forge.asn1.Class;
  return [{ name: "commonName", value, valueTagClass: utf8 }];
}

/**
 * A positive number of exactly 127 bits in hex (4.1.2.2 allows 20 octets), 126 of them random. The
 * highest is always set: DER wants the shortest form, and a leading zero octet would not be that.
 */
export function randomSerial(): string {
  const bytes = randomBytes(16);
  bytes.writeUInt8((bytes.readUInt8(0) & 0x7f) | 0x40, 0);
  return bytes.toString("hex");
}

/** A CA that signs certificates, and nothing else: no CRLs, no CA below it. */
export function authorityExtensions(keyIdentifier: Buffer): Extension[] {
  return [
    { name: "basicConstraints", critical: true, cA: true, pathLenConstraint: 0 },
    { name: "keyUsage", critical: true, keyCertSign: true },
    {
      // Given by value: forge would hash the public key (4.2.1.2, method 1), which our CAs share.
      name: "subjectKeyIdentifier",
      id: "2.5.29.14",
      value: forge.asn1.create(
        forge.asn1.Class.UNIVERSAL,
        forge.asn1.Type.OCTETSTRING,
        false,
        keyIdentifier.toString("binary"),
      ),
    },
  ];
}

/** What dockerd presents. keyEncipherment is for TLS 1.2 suites without Diffie-Hellman. */
export function serverExtensions(authorityKey: Buffer, hosts: string[]): Extension[] {
  return [
    { name: "basicConstraints", critical: true },
    { name: "keyUsage", critical: true, digitalSignature: true, keyEncipherment: true },
    { name: "extKeyUsage", serverAuth: true },
    { name: "subjectAltName", altNames: alternativeNames(hosts) },
    ...keyIdentifiers(authorityKey),
  ];
}

/** What a docker client presents. */
export function clientExtensions(authorityKey: Buffer): Extension[] {
  return [
    { name: "basicConstraints", critical: true },
    { name: "keyUsage", critical: true, digitalSignature: true },
    { name: "extKeyUsage", clientAuth: true },
    ...keyIdentifiers(authorityKey),
  ];
}

function keyIdentifiers(authorityKey: Buffer): Extension[] {
  return [
    { name: "subjectKeyIdentifier" },
    { name: "authorityKeyIdentifier", keyIdentifier: authorityKey.toString("binary") },
  ];
}

type AlternativeName = { type: 2; value: string } | { type: 7; ip: string };

/**
 * GeneralNames (4.2.1.6) of what a client dials: dNSName (2) or iPAddress (7), each once.
 * @throws CONFIG_INVALID for what is neither a host name nor an IP address, and for none at all.
 */
export function alternativeNames(hosts: string[]): AlternativeName[] {
  if (hosts.length === 0) {
    throw new BerthError(
      "CONFIG_INVALID",
      "cannot make a server certificate without a public host name or address; set one",
    );
  }
  const names = new Map<string, AlternativeName>();
  for (const host of hosts) {
    const name = alternativeName(host);
    names.set("ip" in name ? name.ip : name.value, name);
  }
  return [...names.values()];
}

function alternativeName(host: string): AlternativeName {
  const bare = host.replace(/^\[(.*)\]$/, "$1").toLowerCase();
  const family = isIP(bare);
  if (family === 4) return { type: 7, ip: bare };
  // The URL parser writes ::ffff:192.0.2.1 as ::ffff:c000:201, the only form that forge reads.
  if (family === 6 && !bare.includes("%")) {
    return { type: 7, ip: new URL(`http://[${bare}]`).hostname.slice(1, -1) };
  }
  if (family === 0 && bare.length <= 253 && /^[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$/.test(bare)) {
    return { type: 2, value: bare };
  }
  throw new BerthError(
    "CONFIG_INVALID",
    `cannot make a server certificate for "${host}": it is neither a host name nor an IP address ` +
      `(write an international name as xn--…, an IPv6 address without its %zone)`,
  );
}
