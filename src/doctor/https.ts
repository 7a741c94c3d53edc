import { readSelfMade } from "../certs/self-made.js";
import type { Finding } from "../cli/local.js";
import type { Config } from "../config.js";
import { messageOf } from "../lib/errors.js";

/** What page and API are served by. */
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
