import { readSelfMade } from "../certs/self-made.js";
import type { Finding } from "../cli/local.js";
import type { Config } from "../config.js";
import { messageOf } from "../lib/errors.js";
import { failure, inOrder, warning } from "./findings.js";

/** What page and API are served by. */
export async function checkHttps(config: Config): Promise<Finding> {
  const check = "https";
  const { tls } = config.listen;
  if (tls === undefined) return checkPlainHttp(config, check);
  if (tls !== "self") return inOrder(check, `by the certificate ${tls.cert}`);
  try {
    const made = await readSelfMade(config.dataDir);
    if (!made) return inOrder(check, "a certificate is made at the daemon's start");
    const until = made.expiresAt.toISOString().slice(0, 10);
    return inOrder(check, `self-made until ${until}, SHA-256 fingerprint ${made.fingerprint}`);
  } catch (error) {
    return failure(check, {
      what: messageOf(error),
      why: "the daemon does not start with a certificate that it cannot read",
      fix: "remove the file; systemctl restart berth makes another",
    });
  }
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

/** What of signing in the configuration leaves open. */
export function checkSignIn({ signIn: { proxy } }: Config): Finding {
  const check = "sign-in";
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
