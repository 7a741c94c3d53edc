import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { publicHostsOf } from "./assemble.js";
import { generateKey } from "./certs/key-pool.js";
import { readSelfMade, selfMadeCertificate } from "./certs/self-made.js";
import type { Finding } from "./cli/local.js";
import type { Config } from "./config.js";
import { BerthError, messageOf } from "./lib/errors.js";
import type { Log } from "./lib/log.js";

/** What page and API present over TCP; undefined for plain HTTP. @throws BerthError CONFIG_INVALID */
export async function tlsOf(
  config: Config,
  log: Log,
): Promise<{ cert: Buffer; key: Buffer } | undefined> {
  const { tls } = config.listen;
  if (tls === undefined) return undefined;
  if (tls !== "self") {
    return { cert: await fileOf("cert", tls.cert), key: await fileOf("key", tls.key) };
  }
  const made = await selfMadeCertificate({
    directory: config.dataDir,
    hosts: await hostsOf(config),
    keys: { take: generateKey },
  });
  log.info(
    { fingerprint: made.fingerprint, until: made.expiresAt.toISOString() },
    "HTTPS by a certificate of Berth's own making; compare its SHA-256 fingerprint where a browser shows it",
  );
  return { cert: Buffer.from(made.certPem), key: Buffer.from(made.keyPem) };
}

/** What `berth doctor` says of it. */
export async function checkHttps(config: Config): Promise<Finding> {
  const check = "https";
  const { tls } = config.listen;
  if (tls === undefined) return checkPlainHttp(config, check);
  if (tls !== "self") return { check, status: "ok", what: `by the certificate ${tls.cert}` };
  try {
    const made = await readSelfMade(config.dataDir);
    if (!made) return { check, status: "ok", what: "a certificate is made at the daemon's start" };
    const until = made.expiresAt.toISOString().slice(0, 10);
    const what = `self-made until ${until}, SHA-256 fingerprint ${made.fingerprint}`;
    return { check, status: "ok", what };
  } catch (error) {
    return { check, status: "failure", what: messageOf(error), fix: "remove the file" };
  }
}

/** Browsers send a cookie to every port of a host, and sandboxes publish ports: only `Secure` keeps it back. */
function checkPlainHttp({ listen: { host }, publicUrl }: Config, check: string): Finding {
  if (isLoopback(host) || publicUrl?.protocol === "https:") {
    return { check, status: "ok", what: `plain HTTP at ${host}, as the configuration says` };
  }
  return {
    check,
    status: "warning",
    what: `plain HTTP at ${host}: who opens a port that a sandbox publishes sends it their session`,
    fix: "listen.tls: self, or a proxy with HTTPS in front and publicUrl",
  };
}

/** What of signing in the configuration leaves open. */
export function checkSignIn({ signIn: { proxy } }: Config): Finding {
  const check = "sign-in";
  const nearby = proxy?.from.find((address) => isLoopback(address.split("/")[0] ?? ""));
  if (nearby === undefined || proxy?.secretFile !== undefined) {
    return { check, status: "ok", what: "by the configuration's ways" };
  }
  return {
    check,
    status: "warning",
    what: `whoever has an account on this machine can connect from ${nearby}, and be whom they say they are in ${proxy?.header}`,
    fix: "signIn.proxy.secretFile, and the proxy sends what is in it as X-Berth-Proxy-Secret",
  };
}

const isLoopback = (host: string): boolean => /^(localhost|127\.[\d.]+|::1)$/.test(host);

/** Every name and address by which a browser may come. */
async function hostsOf(config: Config): Promise<string[]> {
  const { host } = config.listen;
  const isEverywhere = isIP(host) !== 0 && /^[0.:]+$/.test(host);
  return [
    ...new Set([
      ...(config.publicUrl ? [config.publicUrl.hostname.replace(/^\[|\]$/g, "")] : []),
      ...(await publicHostsOf(config)),
      ...(isEverywhere ? [] : [host]),
      "localhost",
      "127.0.0.1",
    ]),
  ];
}

async function fileOf(key: string, path: string): Promise<Buffer> {
  return readFile(path).catch((error: unknown) => {
    const why = messageOf(error);
    throw new BerthError("CONFIG_INVALID", `listen.tls.${key}: cannot read ${path}: ${why}`);
  });
}
