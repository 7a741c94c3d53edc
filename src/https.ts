import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { publicHostsOf } from "./assemble.js";
import { generateKey } from "./certs/key-pool.js";
import { selfMadeCertificate } from "./certs/self-made.js";
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
  if (tls !== "self") return readPair(tls);
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

/** The operator's own. @throws BerthError CONFIG_INVALID when a file cannot be read */
export async function readPair(files: {
  cert: string;
  key: string;
}): Promise<{ cert: Buffer; key: Buffer }> {
  return { cert: await fileOf("cert", files.cert), key: await fileOf("key", files.key) };
}

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
