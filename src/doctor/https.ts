import { createPrivateKey, X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import { signInSettingsOf } from "../assemble.js";
import { readSelfMade } from "../certs/self-made.js";
import type { Finding } from "../cli/local.js";
import type { Config } from "../config.js";
import { readPair } from "../https.js";
import { messageOf } from "../lib/errors.js";
import { failure, inOrder, warning } from "./findings.js";

/** What page and API are served by. */
export async function checkHttps(config: Config, now = new Date()): Promise<Finding> {
  const check = "https";
  const { tls } = config.listen;
  if (tls === undefined) return checkPlainHttp(config, check);
  return tls === "self" ? checkSelfMade(config, now, check) : checkPair(tls, now, check);
}

async function checkSelfMade({ dataDir }: Config, now: Date, check: string): Promise<Finding> {
  try {
    const made = await readSelfMade(dataDir);
    if (!made) return inOrder(check, "a certificate is made at the daemon's start");
    return (
      decideValidity({
        check,
        name: "the self-made certificate",
        until: made.expiresAt,
        now,
        fix: "systemctl restart berth # makes another, with another fingerprint",
      }) ??
      inOrder(
        check,
        `self-made until ${day(made.expiresAt)}, SHA-256 fingerprint ${made.fingerprint}`,
      )
    );
  } catch (error) {
    return failure(check, {
      what: messageOf(error),
      why: "the daemon does not start with a certificate that it cannot read",
      fix: "remove the file; systemctl restart berth makes another",
    });
  }
}

/** Reads them as the daemon does at its start, and lets Node try whether it can serve with them. */
async function checkPair(
  files: { cert: string; key: string },
  now: Date,
  check: string,
): Promise<Finding> {
  const fix = "renew certificate and key; systemctl restart berth";
  try {
    const pair = await readPair(files);
    const certificate = new X509Certificate(pair.cert);
    if (!certificate.checkPrivateKey(createPrivateKey(pair.key)))
      throw new Error("the key is another certificate's");
    createSecureContext(pair);
    const [from, until] = [new Date(certificate.validFrom), new Date(certificate.validTo)];
    return (
      decideValidity({ check, name: files.cert, from, until, now, fix }) ??
      inOrder(check, `by the certificate ${files.cert}, until ${day(until)}`)
    );
  } catch (error) {
    return failure(check, {
      what: `cannot serve with ${files.cert} and ${files.key}: ${messageOf(error)}`,
      why: "the daemon does not start with a pair that it cannot use, and one that runs still has the pair it began with",
      fix: "listen.tls in the configuration: a certificate in PEM, those of its authority after it, and its key without a password",
    });
  }
}

/** Whoever renews by a program does it earlier; certificates of days have a quarter of their time. */
const soonMs = 14 * 86_400_000;
const day = (date: Date): string => date.toISOString().slice(0, 10);

/** What is wrong with the time that a certificate is good for. */
function decideValidity(given: {
  check: string;
  name: string;
  from?: Date;
  until: Date;
  now: Date;
  fix: string;
}): Finding | undefined {
  const { check, name, from, until, now, fix } = given;
  const why = "browsers, clients and berth itself refuse page and API then";
  if (until <= now) return failure(check, { what: `${name} ended ${day(until)}`, why, fix });
  if (from && from > now)
    return failure(check, { what: `${name} is not good before ${day(from)}`, why, fix });
  const lifetimeMs = from ? until.getTime() - from.getTime() : Infinity;
  if (until.getTime() - now.getTime() < Math.min(soonMs, lifetimeMs / 4))
    return warning(check, { what: `${name} ends ${day(until)}`, why, fix });
  return undefined;
}

/** Browsers send a cookie to every port of a host, and sandboxes publish ports: only `Secure` keeps it back. */
function checkPlainHttp({ listen: { host }, publicUrl }: Config, check: string): Finding {
  if (isLoopback(host) || publicUrl?.protocol === "https:") {
    return inOrder(check, `plain HTTP at ${host}, as the configuration says`);
  }
  return warning(check, {
    what: `page and API are served by plain HTTP at ${host}`,
    why: "who opens a port that a sandbox publishes sends it their session, and who listens on the network reads tokens",
    fix: "listen.tls: self, or a proxy with HTTPS in front and publicUrl (docs/sign-in.md)",
  });
}

/** What of signing in the configuration leaves open, and whether the daemon has the secrets it needs. */
export async function checkSignIn(config: Config): Promise<Finding> {
  const check = "sign-in";
  const { proxy } = config.signIn;
  try {
    await signInSettingsOf(config);
  } catch (error) {
    return failure(check, {
      what: messageOf(error),
      why: "the daemon does not start without a secret that the configuration says there is",
      fix: "put the secret into that file, root's alone (chmod 600), or take the key out of the configuration",
    });
  }
  const nearby = proxy?.from.find((address) => isLoopback(address.split("/")[0] ?? ""));
  if (nearby === undefined || proxy?.secretFile !== undefined) {
    return inOrder(check, "by the configuration's ways");
  }
  return warning(check, {
    what: `the header ${proxy?.header ?? ""} is believed from ${nearby}, without a secret`,
    why: "whoever has an account on this machine can connect from there, and be whom they say they are",
    fix: "signIn.proxy.secretFile, and the proxy sends what is in it as X-Berth-Proxy-Secret",
  });
}

const isLoopback = (host: string): boolean => /^(localhost|127\.[\d.]+|::1)$/.test(host);
