import { mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { CertificateAuthority } from "../../src/certs/authority.js";
import { KeyPool } from "../../src/certs/key-pool.js";
import { createLog } from "../../src/lib/log.js";
import type { Sandbox } from "../../src/lib/contract/sandbox.js";
import { berth, create, DockerClient, ok, onHost, run, traces } from "./support.js";

let before: string[];
let ann: Sandbox;
let client: DockerClient;

beforeAll(async () => {
  before = await traces();
  ann = await create("e2e-ann");
  client = await DockerClient.of("e2e-ann", ann.dockerHost);
  await client.importBox();
});

afterAll(async () => {
  ok(await berth("user", "remove", "e2e-ann"));
  await client.remove();
  expect(await traces()).toEqual(before);
});

/** A directory for as long as a test takes. */
async function scratch(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "berth-e2e-"));
  onTestFinished(() => rm(dir, { recursive: true }));
  return dir;
}

describe("a user's own docker client", () => {
  it("runs a container", async () => {
    expect(await client.docker("run", "--rm", "box", "echo", "hello from inside")).toBe(
      "hello from inside",
    );
  });

  it("works through an imported context as well", async () => {
    const file = join(client.env["DOCKER_CERT_PATH"] ?? "", "berth.dockercontext");
    const env = { DOCKER_CONFIG: client.env["DOCKER_CONFIG"] ?? "" };
    ok(await run("docker", ["context", "import", "ann", file], { env }));
    const said = await run("docker", ["--context", "ann", "run", "--rm", "box", "hostname"], {
      env,
    });
    expect(ok(said)).toMatch(/^[0-9a-f]{12}$/);
  });

  it("works after sourcing env.sh", async () => {
    const dir = client.env["DOCKER_CERT_PATH"] ?? "";
    const said = await run("bash", ["-c", `. '${dir}/env.sh' && docker info --format '{{.Name}}'`]);
    expect(ok(said)).toBe("default");
  });

  it("may run setuid programs, which a no_new_privs over the whole sandbox would make useless", async () => {
    const status = await client.docker(
      "run",
      "--rm",
      "box",
      "grep",
      "NoNewPrivs",
      "/proc/self/status",
    );
    expect(status).toMatch(/NoNewPrivs:\s+0$/);
    // The shell of a user with nothing becomes root by a setuid copy of a program that stays it.
    const script = `
      cp /bin/busybox /tmp/su && chmod 4755 /tmp/su
      printf 'root::0:0::/:/bin/sh\nann::1000:1000::/:/bin/sh\n' >/etc/passwd
      /bin/su ann -c '/tmp/su root -c "id -u"'`;
    expect(await client.docker("run", "--rm", "box", "sh", "-c", script)).toBe("0");
  });

  it("executes commands in a running container", async () => {
    await client.docker("run", "-d", "--name", "sleeper", "box", "sleep", "600");
    expect(await client.docker("exec", "sleeper", "cat", "/proc/1/comm")).toBe("sleep");
    await client.docker("rm", "-f", "sleeper");
  });

  it("builds an image with BuildKit", async () => {
    const dir = await scratch();
    await writeFile(
      join(dir, "Dockerfile"),
      `FROM box AS build
RUN --mount=type=cache,target=/cache echo built > /result
FROM box
COPY --from=build /result /result
CMD ["cat", "/result"]
`,
    );
    ok(await client.run(["buildx", "build", "--load", "-t", "built", dir]));
    expect(await client.docker("run", "--rm", "built")).toBe("built");
  });

  it("brings up a compose project whose services see each other", async () => {
    const dir = await scratch();
    const file = join(dir, "compose.yaml");
    await writeFile(
      file,
      `name: pair
services:
  web:
    image: box
    command: sh -c "echo from web > /tmp/index.html; exec httpd -f -p 8080 -h /tmp"
  asker:
    image: box
    depends_on: [web]
    command: sh -c "until wget -qO- http://web:8080/; do sleep 0.1; done"
`,
    );
    ok(await client.run(["compose", "-f", file, "up", "-d"]));
    await client.docker("wait", "pair-asker-1");
    expect(await client.docker("logs", "pair-asker-1")).toContain("from web");
    ok(await client.run(["compose", "-f", file, "down", "-t", "0"]));
    expect(await client.docker("ps", "-aq")).toBe("");
  });

  it("publishes a port that is reachable at the host's address", async () => {
    const port = ann.ports.from + 3;
    await client.docker(
      ...["run", "-d", "--name", "web", "-p", `${port}:80`, "box"],
      ...["sh", "-c", "mkdir /www; echo published > /www/index.html; exec httpd -f -p 80 -h /www"],
    );
    const { hostname } = new URL(ann.dockerHost.replace("tcp:", "http:"));
    const answer = await fetch(`http://${hostname}:${port}/`);
    expect((await answer.text()).trim()).toBe("published");
    const fromHost = ok(await onHost(`curl -s http://${hostname}:${port}/`));
    expect(fromHost).toBe("published");
    await client.docker("rm", "-f", "web");
  });

  it("keeps volumes and sets limits of inner containers", async () => {
    await client.docker("run", "--rm", "-v", "notes:/n", "box", "sh", "-c", "echo kept > /n/a");
    expect(await client.docker("run", "--rm", "-v", "notes:/n", "box", "cat", "/n/a")).toBe("kept");
    const id = await client.docker("run", "-d", "-m", "32m", "--cpus", "0.5", "box", "sleep", "60");
    const format = "{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}}";
    expect(await client.docker("inspect", "-f", format, id)).toBe("33554432 500000000");
    await client.docker("rm", "-f", id);
  });

  it("resolves names in inner containers with the resolver that was given", async () => {
    const resolv = await client.docker("run", "--rm", "box", "cat", "/etc/resolv.conf");
    expect(resolv).toMatch(/^nameserver \d+\.\d+\.\d+\.\d+$/m);
    expect(resolv).not.toContain("127.0.0.11");
  });
});

describe("the engine's door", () => {
  const info = (env: Record<string, string>) => run("docker", ["version"], { env });

  it("refuses a client without a certificate", async () => {
    const dir = await scratch();
    const said = await info({
      DOCKER_CONFIG: dir,
      DOCKER_HOST: ann.dockerHost,
      DOCKER_TLS: "1",
      DOCKER_CERT_PATH: dir,
    });
    expect(said.code).not.toBe(0);
    const answer = await run("curl", ["-sk", `https://${ann.dockerHost.slice(6)}/_ping`]);
    expect(answer.code).not.toBe(0);
    expect(answer.stdout).toBe("");
  });

  it("refuses another sandbox's certificate, and its client refuses this engine", async () => {
    const bob = await create("e2e-bob");
    const bobs = await DockerClient.of("e2e-bob", bob.dockerHost);
    expect(ok(await info(bobs.env))).toContain("Server");

    const toAnn = await info({ ...bobs.env, DOCKER_HOST: ann.dockerHost });
    expect(toAnn.code).not.toBe(0);
    expect(toAnn.stderr).toMatch(/certificate/);

    // Also when the client trusts ann's CA and only its own certificate is wrong.
    const mixed = await scratch();
    ok(
      await run("cp", [...["cert.pem", "key.pem"].map((f) => join(bobs.dir, "bundle", f)), mixed]),
    );
    ok(await run("cp", [join(client.dir, "bundle", "ca.pem"), mixed]));
    const wrongClient = await info({
      ...bobs.env,
      DOCKER_HOST: ann.dockerHost,
      DOCKER_CERT_PATH: mixed,
    });
    expect(wrongClient.code).not.toBe(0);
    expect(wrongClient.stderr).toMatch(/tls|certificate/);

    ok(await berth("user", "remove", "e2e-bob"));
    await bobs.remove();
  });

  it("refuses an expired certificate of this very sandbox", async () => {
    const issue = await authorityOf(ann.id);
    const current = await issue(new Date());
    expect(ok(await info({ ...client.env, DOCKER_CERT_PATH: current }))).toContain("Server");
    const expired = await issue(new Date(Date.now() - 3 * 86_400_000));
    const said = await info({ ...client.env, DOCKER_CERT_PATH: expired });
    expect(said.code).not.toBe(0);
    expect(said.stderr).toMatch(/expired|certificate/);
  });
});

/** Issues client certificates as Berth does, but at any moment: with its own key, read on the host. */
async function authorityOf(id: string): Promise<(now: Date) => Promise<string>> {
  const dir = await scratch();
  const key = ok(await onHost("cat /var/lib/berth/ca-key.pem"));
  const caPem = `${ok(await onHost(`cat /var/lib/berth/sandboxes/${id}/certs/ca.pem`))}\n`;
  await writeFile(join(dir, "ca-key.pem"), `${key}\n`, { mode: 0o600 });
  return async (now) => {
    const keys = new KeyPool({ size: 0, log: createLog("silent") });
    const authority = await CertificateAuthority.open({ directory: dir, keys, now: () => now });
    const client = await authority.issueClient({
      sandboxId: id,
      caPem,
      user: "e2e-ann",
      sandboxExpiresAt: new Date(now.getTime() + 86_400_000),
    });
    const bundle = join(dir, String(now.getTime()));
    await mkdir(bundle);
    await writeFile(join(bundle, "ca.pem"), caPem);
    await writeFile(join(bundle, "cert.pem"), client.certPem);
    await writeFile(join(bundle, "key.pem"), client.keyPem, { mode: 0o600 });
    return bundle;
  };
}
