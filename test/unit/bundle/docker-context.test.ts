import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundleFiles } from "../../../src/bundle/files.js";
import { CertificateAuthority } from "../../../src/certs/authority.js";
import { writeBundle } from "../../../src/lib/bundle-archive.js";
import type { SandboxCertificates } from "../../../src/lib/model.js";
import { sharedKeys } from "../certs/support.js";
import { has, input, temporaryDirectory } from "./support.js";

const version = { Version: "99.1", ApiVersion: "1.41", MinAPIVersion: "1.24", Os: "linux" };

/** A stand-in for a sandbox's dockerd: real mutual TLS, and just enough API for `docker version`. */
async function listen(certificates: SandboxCertificates): Promise<Server> {
  const { caPem, serverCertPem, serverKeyPem } = certificates;
  const tls = { ca: caPem, cert: serverCertPem, key: serverKeyPem };
  const strict = { ...tls, requestCert: true, rejectUnauthorized: true };
  const server = createServer(strict, (request, response) => {
    const isPing = request.url?.endsWith("/_ping") ?? false;
    response.setHeader("Api-Version", "1.41");
    response.setHeader("Content-Type", isPing ? "text/plain" : "application/json");
    response.end(isPing ? "OK" : JSON.stringify(version));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

const installed = await has("docker", "--version");

describe.skipIf(!installed)("the real docker client (skipped where there is none)", () => {
  let authority: CertificateAuthority;
  let sandbox: SandboxCertificates;
  let other: SandboxCertificates;
  let server: Server;
  let directory: string;
  let config: string;

  beforeAll(async () => {
    const keys = sharedKeys();
    authority = await CertificateAuthority.open({ directory: await temporaryDirectory(), keys });
    const hosts = ["127.0.0.1"];
    sandbox = await authority.issueForSandbox({ sandboxId: "aaaaaaaa", hosts });
    other = await authority.issueForSandbox({ sandboxId: "bbbbbbbb", hosts });
    server = await listen(sandbox);
    directory = await bundleFor(sandbox, "aaaaaaaa", "ann_1");
    config = await temporaryDirectory();
    await docker("context", "import", "ann", join(directory, "berth.dockercontext"));
  });
  afterAll(() => {
    server.close();
  });

  async function bundleFor({ caPem }: SandboxCertificates, id: string, user: string) {
    const expiresAt = new Date(Date.now() + 3_600_000);
    const request = { sandboxId: id, caPem, user, sandboxExpiresAt: expiresAt };
    const client = await authority.issueClient(request);
    const { port } = server.address() as AddressInfo;
    const dockerHost = `tcp://127.0.0.1:${port}`;
    const content = input({ id, user, dockerHost, expiresAt, caPem, client });
    const target = join(await temporaryDirectory(), user);
    await writeBundle(await bundleFiles(content, new Date()), target);
    return target;
  }

  const docker = (...args: string[]) =>
    execa("docker", args, { env: { DOCKER_CONFIG: config, DOCKER_HOST: "", DOCKER_CONTEXT: "" } });
  const serverVersion = ["version", "--format", "{{.Server.Version}}"];

  it("imports the context with address, description and TLS files", async () => {
    const { stdout } = await docker("context", "inspect", "ann");
    const { port } = server.address() as AddressInfo;
    expect(JSON.parse(stdout)).toMatchObject([
      {
        Name: "ann",
        Metadata: { Description: expect.stringContaining("ann_1/default (aaaaaaaa)") as string },
        Endpoints: { docker: { Host: `tcp://127.0.0.1:${port}`, SkipTLSVerify: false } },
        TLSMaterial: { docker: ["ca.pem", "cert.pem", "key.pem"] },
      },
    ]);
  });

  it("reaches an engine through the imported context", async () => {
    const { stdout } = await docker("--context", "ann", ...serverVersion);
    expect(stdout).toBe("99.1");
  });

  it("reaches it after sourcing env.sh, even where a context is chosen by name", async () => {
    const script = `. ${directory}/env.sh && docker ${serverVersion.join(" ")}`;
    const { stdout } = await execa("bash", ["-c", script], {
      env: { DOCKER_CONFIG: config, DOCKER_CONTEXT: "nowhere" },
    });
    expect(stdout).toBe("99.1");
  });

  it("refuses an engine of another sandbox", async () => {
    const foreign = await bundleFor(other, "bbbbbbbb", "bob");
    const script = `. ${foreign}/env.sh && docker ${serverVersion.join(" ")}`;
    const { stderr, exitCode } = await execa("bash", ["-c", script], { reject: false });
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain("certificate signed by unknown authority");
  });
});
