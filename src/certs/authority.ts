import { createPublicKey, randomBytes, X509Certificate, type KeyObject } from "node:crypto";
import forge from "node-forge";
import { BerthError, messageOf } from "../lib/errors.js";
import type {
  ClientCertificateRequest,
  KeyAndCertificate,
  SandboxCertificateRequest,
  SandboxCertificates,
} from "../lib/model.js";
import { IssuedCertificate, IssuedSandboxCertificates } from "./issued.js";
import { forgePublicKey, type FreshKey } from "./key.js";
import { openSigningKey } from "./signing-key.js";
import {
  authorityExtensions,
  clientExtensions,
  serverExtensions,
  signCertificate,
} from "./x509.js";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** Certificates hold from this long ago on: a client's clock may be behind ours. */
const backdatedMs = 10 * minuteMs;
/** A client certificate lives this long at most: nothing can revoke it. */
const clientLifetimeMs = dayMs;
/** Berth's own certificate for a sandbox is renewed this long before its end. */
const ownRenewalMs = hourMs;

export interface AuthorityOptions {
  /** Holds ca-key.pem; made when missing. */
  directory: string;
  /** Where keys come from: a KeyPool. */
  keys: { take(): Promise<FreshKey> };
  now?: () => Date;
  /** How long a sandbox's CA and server certificate hold; longer than any sandbox may live. Ten years. */
  sandboxLifetimeMs?: number;
}

/** What has to be known of a sandbox's CA to sign in its name. */
interface SandboxAuthority {
  keyIdentifier: Buffer;
  expiresAt: Date;
}

/**
 * Issues every certificate of this installation.
 *
 * One signing key, which never leaves the host, but one CA certificate per sandbox: dockerd accepts
 * any certificate whose chain ends at the CA it was given and asks for no revocation list. The CAs
 * differ in subject and subjectKeyIdentifier, and both are part of a chain (RFC 5280, 6.1.3 (a)(4)
 * and 4.2.1.1): a client of another sandbox is refused although the same key signed its certificate.
 */
export class CertificateAuthority {
  readonly #signingKey: KeyObject;
  readonly #publicKey: forge.pki.rsa.PublicKey;
  readonly #keys: { take(): Promise<FreshKey> };
  readonly #now: () => Date;
  readonly #sandboxLifetimeMs: number;
  #ownKey: Promise<FreshKey> | undefined;
  readonly #own = new Map<string, { caPem: string; issued: KeyAndCertificate }>();

  private constructor(signingKey: KeyObject, options: AuthorityOptions) {
    this.#signingKey = signingKey;
    this.#publicKey = forgePublicKey(createPublicKey(signingKey));
    this.#keys = options.keys;
    this.#now = options.now ?? (() => new Date());
    this.#sandboxLifetimeMs = options.sandboxLifetimeMs ?? 3650 * dayMs;
  }

  /**
   * Reads the signing key, or makes it at first use.
   * @throws RECORD_INVALID when its file is damaged or open to others; it is never replaced.
   */
  static async open(options: AuthorityOptions): Promise<CertificateAuthority> {
    const signingKey = await openSigningKey(options.directory, () => options.keys.take());
    return new CertificateAuthority(signingKey, options);
  }

  /**
   * A sandbox's CA certificate, and what its dockerd presents.
   * @throws CONFIG_INVALID when one of the hosts is neither a name nor an address.
   */
  async issueForSandbox(request: SandboxCertificateRequest): Promise<SandboxCertificates> {
    const keyIdentifier = randomBytes(20);
    const extensions = serverExtensions(keyIdentifier, request.hosts);
    const key = await this.#keys.take();
    const issuer = authorityName(request.sandboxId);
    const notAfter = this.#after(this.#sandboxLifetimeMs);
    const caPem = this.#sign({
      subject: issuer,
      issuer,
      publicKey: this.#publicKey,
      notAfter,
      extensions: authorityExtensions(keyIdentifier),
    });
    const serverCertPem = this.#sign({
      subject: request.sandboxId,
      issuer,
      publicKey: key.publicKey,
      notAfter,
      extensions,
    });
    return new IssuedSandboxCertificates(caPem, serverCertPem, key.pem);
  }

  /**
   * A client certificate for the user, until the sandbox ends or for 24 hours, whichever is first.
   * @throws SANDBOX_NOT_READY when the sandbox's time is over; RECORD_INVALID when `caPem` is not
   * the sandbox's, or of a signing key we no longer have.
   */
  async issueClient(request: ClientCertificateRequest): Promise<KeyAndCertificate> {
    const authority = this.#readAuthority(request.sandboxId, request.caPem);
    const notAfter = earliest(
      this.#after(clientLifetimeMs),
      request.sandboxExpiresAt,
      authority.expiresAt,
    );
    if (notAfter <= this.#now()) {
      throw new BerthError(
        "SANDBOX_NOT_READY",
        `cannot issue a client certificate for sandbox ${request.sandboxId}: its time was over at ` +
          `${notAfter.toISOString()}; extend it or create a new one`,
      );
    }
    const key = await this.#keys.take();
    return this.#issueClient(request.sandboxId, request.user, key, authority, notAfter);
  }

  /**
   * Berth's own client certificate for a sandbox (CN=berth, 24 hours): one key per process, which is
   * in memory only, and a certificate per sandbox, kept until an hour before its end.
   * @throws RECORD_INVALID as issueClient does.
   */
  async issueOwn(request: { sandboxId: string; caPem: string }): Promise<KeyAndCertificate> {
    const { sandboxId, caPem } = request;
    const known = this.#own.get(sandboxId);
    if (known?.caPem === caPem && this.#isFresh(known.issued)) return known.issued;
    const authority = this.#readAuthority(sandboxId, caPem);
    const key = await this.#takeOwnKey();
    const notAfter = earliest(this.#after(clientLifetimeMs), authority.expiresAt);
    const issued = this.#issueClient(sandboxId, "berth", key, authority, notAfter);
    this.#forgetStale();
    this.#own.set(sandboxId, { caPem, issued });
    return issued;
  }

  #issueClient(
    sandboxId: string,
    subject: string,
    key: FreshKey,
    authority: SandboxAuthority,
    notAfter: Date,
  ): KeyAndCertificate {
    const certPem = this.#sign({
      subject,
      issuer: authorityName(sandboxId),
      publicKey: key.publicKey,
      notAfter,
      extensions: clientExtensions(authority.keyIdentifier),
    });
    return new IssuedCertificate(key.pem, certPem, notAfter);
  }

  #sign(content: Omit<Parameters<typeof signCertificate>[0], "notBefore">): string {
    return signCertificate({ ...content, notBefore: this.#after(-backdatedMs) }, this.#signingKey);
  }

  /** The issuer's part of a certificate is taken from the CA's own, after checks that we can sign for it. */
  #readAuthority(sandboxId: string, caPem: string): SandboxAuthority {
    const fail = (fault: string) =>
      new BerthError(
        "RECORD_INVALID",
        `cannot issue a certificate for sandbox ${sandboxId}: ${fault}; remove the sandbox and create it again`,
      );
    let native: X509Certificate;
    try {
      native = new X509Certificate(caPem);
    } catch (error) {
      throw fail(`its CA certificate does not parse (${messageOf(error)})`);
    }
    if (native.subject !== `CN=${authorityName(sandboxId)}`) {
      throw fail(`its CA certificate is of another: ${native.subject}`);
    }
    if (!native.checkPrivateKey(this.#signingKey)) {
      throw fail("its CA certificate is of another signing key than ours");
    }
    // node:crypto shows no subjectKeyIdentifier.
    const extension = forge.pki.certificateFromPem(caPem).getExtension("subjectKeyIdentifier") as
      { subjectKeyIdentifier: string } | undefined | null;
    if (!extension) throw fail("its CA certificate has no subjectKeyIdentifier");
    return {
      keyIdentifier: Buffer.from(extension.subjectKeyIdentifier, "hex"),
      expiresAt: new Date(native.validTo),
    };
  }

  #takeOwnKey(): Promise<FreshKey> {
    this.#ownKey ??= this.#keys.take().catch((error: unknown) => {
      this.#ownKey = undefined;
      throw error;
    });
    return this.#ownKey;
  }

  #isFresh(issued: KeyAndCertificate): boolean {
    return issued.expiresAt.getTime() - this.#now().getTime() > ownRenewalMs;
  }

  /** Sandboxes that are gone leave their certificate here; a day later it goes too. */
  #forgetStale(): void {
    for (const [id, { issued }] of this.#own) {
      if (!this.#isFresh(issued)) this.#own.delete(id);
    }
  }

  #after(ms: number): Date {
    return wholeSeconds(this.#now().getTime() + ms);
  }
}

/** Subject of a sandbox's CA certificate, and issuer of all that it signs. */
function authorityName(sandboxId: string): string {
  return `berth sandbox ${sandboxId}`;
}

/** Certificates count seconds: what we say of their end is what they say. */
function wholeSeconds(ms: number): Date {
  return new Date(Math.floor(ms / 1000) * 1000);
}

function earliest(...dates: Date[]): Date {
  return wholeSeconds(Math.min(...dates.map((date) => date.getTime())));
}
