import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, createServer, type ConnectionOptions, type TlsOptions } from "node:tls";
import type { AddressInfo } from "node:net";
import { afterAll } from "vitest";
import { CertificateAuthority } from "../../../src/certs/authority.js";
import { generateKey } from "../../../src/certs/key-pool.js";
import type { FreshKey } from "../../../src/certs/key.js";
import type { Certificates } from "../../../src/provisioner/parts.js";

/** Hands out the same few keys again and again: making one takes longer than most of these tests. */
export function sharedKeys(count = 3): { take(): Promise<FreshKey>; taken: number } {
  const keys: Promise<FreshKey>[] = [];
  return {
    taken: 0,
    take() {
      const index = this.taken++ % count;
      return (keys[index] ??= generateKey());
    },
  };
}

const made: string[] = [];
afterAll(() => Promise.all(made.map((path) => rm(path, { recursive: true, force: true }))));

export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "berth-test-"));
  made.push(directory);
  return directory;
}

const keys = sharedKeys();

/** An authority with a signing key of its own, and a clock that tests move. */
export async function testAuthority(directory?: string) {
  const clock = { now: new Date() };
  const authority = await CertificateAuthority.open({
    directory: directory ?? (await temporaryDirectory()),
    keys,
    now: () => clock.now,
  });
  return { authority: authority satisfies Certificates, clock };
}

/** The accepted client's common name, or which side refused, and why. */
export type Outcome = { accepted: string } | { refusedBy: "server" | "client"; reason: string };

/**
 * A real handshake as between docker and dockerd, with requestCert and rejectUnauthorized. Node's
 * server drops a client without saying why, so a second one, which lets everybody in, is asked.
 */
export async function handshake(server: TlsOptions, client: ConnectionOptions): Promise<Outcome> {
  const outcome = await attempt({ ...server, rejectUnauthorized: true }, client);
  if (outcome !== "dropped") return outcome;
  const explained = await attempt({ ...server, rejectUnauthorized: false }, client);
  return explained === "dropped" ? { refusedBy: "server", reason: "unknown" } : explained;
}

async function attempt(
  server: TlsOptions,
  client: ConnectionOptions,
): Promise<Outcome | "dropped"> {
  const listener = createServer({ ...server, requestCert: true });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const { port } = listener.address() as AddressInfo;
  try {
    return await new Promise((resolve) => {
      listener.on("secureConnection", (socket) => {
        if (socket.authorized)
          resolve({ accepted: String(socket.getPeerCertificate().subject.CN) });
        resolve({ refusedBy: "server", reason: String(socket.authorizationError) });
      });
      const socket = connect(port, "127.0.0.1", client);
      socket.on("error", (error: NodeJS.ErrnoException) => {
        const reason = error.code ?? error.message;
        // In TLS 1.3 the server's refusal reaches a client that believes itself connected.
        const dropped = reason === "ECONNRESET" || reason.startsWith("ERR_SSL_TLSV13_ALERT");
        resolve(dropped ? "dropped" : { refusedBy: "client", reason });
      });
      socket.on("end", () => {
        resolve("dropped");
      });
      listener.on("secureConnection", () => socket.destroy());
    });
  } finally {
    listener.close();
  }
}
