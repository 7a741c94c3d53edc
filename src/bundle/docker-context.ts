import { buffer } from "node:stream/consumers";
import { packTar } from "./archive.js";

export interface DockerContext {
  /** Shown by `docker context ls`; the importing user chooses the name itself. */
  name: string;
  description: string;
  /** tcp://host:port */
  host: string;
  caPem: string;
  certPem: string;
  keyPem: string;
}

/**
 * What `docker context import NAME FILE` takes: a tar with meta.json and tls/<endpoint>/<file>,
 * and no other file (docker/cli, cli/context/store/store.go: importTar, isValidFilePath). The names
 * of the TLS files are fixed (cli/context/tlsdata.go); the same since Docker 19.03.
 */
export async function dockerContextTar(context: DockerContext, now: Date): Promise<Buffer> {
  const meta = {
    Name: context.name,
    Metadata: { Description: context.description },
    Endpoints: { docker: { Host: context.host, SkipTLSVerify: false } },
  };
  const file = (name: string, text: string) => ({ name, mode: 0o600, content: Buffer.from(text) });
  const tar = packTar(
    [
      file("meta.json", JSON.stringify(meta)),
      file("tls/docker/ca.pem", context.caPem),
      file("tls/docker/cert.pem", context.certPem),
      file("tls/docker/key.pem", context.keyPem),
    ],
    now,
  );
  return buffer(tar);
}
