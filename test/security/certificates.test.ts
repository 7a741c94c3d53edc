import { createPrivateKey, X509Certificate, type KeyObject } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import forge from "node-forge";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { generateKey } from "../../src/certs/key-pool.js";
import { clientExtensions, serverExtensions, signCertificate } from "../../src/certs/x509.js";
import { ok, onHost, run, type Ran } from "../e2e/support.js";
import { against, Target } from "./target.js";
import { attempts, type Attempt } from "./attempts.js";

// Who else than its user gets into an engine. Users are root in their sandbox, so they have its server's key.

let ann: Target;
let bob: Target;
/** What ann's engine is really opened by. */
let berthKey: KeyObject;

// The door is the same in every isolation.
const here = against === "userns";

beforeAll(async () => {
  if (!here) return;
  [ann, bob] = await Promise.all([Target.open("e2e-sec-ann"), Target.open("sec-bob")]);
  berthKey = createPrivateKey(ok(await onHost("cat /var/lib/berth/ca-key.pem")));
});

afterAll(async () => {
  if (here) await Promise.all([ann.close(), bob.close()]);
});

const dayMs = 86_400_000;
const control = "control: the same certificate signed by Berth's key is let in" as const;
const refused = /certificate|tls:|EOF|connection reset|returned error: 400/i;

interface Forgery {
  signedBy: KeyObject;
  /** Subject of who is said to have signed. */
  issuer: string;
  subject?: string;
  /** Subject key identifier of who is said to have signed. */
  keyIdentifier?: Buffer;
  notBefore?: Date;
  usage?: "client" | "server";
  /** Certificates sent along, as if they led to the CA. */
  chain?: string;
}

/** Dials an engine with a certificate of one's own making, by a client that trusts the engine. */
async function dial(target: Target, forgery: Forgery): Promise<Ran> {
  const key = await generateKey();
  const notBefore = forgery.notBefore ?? new Date(Date.now() - 60_000);
  const identifier = forgery.keyIdentifier ?? identifierOf(caOf(target));
  const certificate = signCertificate(
    {
      subject: forgery.subject ?? target.sandbox.user,
      issuer: forgery.issuer,
      publicKey: key.publicKey,
      notBefore,
      notAfter: new Date(notBefore.getTime() + dayMs),
      extensions:
        forgery.usage === "server"
          ? serverExtensions(identifier, ["localhost"])
          : clientExtensions(identifier),
    },
    forgery.signedBy,
  );
  return dialWith(target, certificate + (forgery.chain ?? ""), key.pem);
}

async function dialWith(target: Target, certificate: string, key: string): Promise<Ran> {
  const dir = await mkdtemp(join(tmpdir(), "berth-security-"));
  await writeFile(join(dir, "ca.pem"), caOf(target));
  await writeFile(join(dir, "cert.pem"), certificate);
  await writeFile(join(dir, "key.pem"), key, { mode: 0o600 });
  const ran = await run("docker", ["version"], {
    env: { ...target.client.env, DOCKER_CERT_PATH: dir },
  });
  await rm(dir, { recursive: true });
  return ran;
}

const bundled = new Map<Target, Record<"ca" | "cert" | "key", string>>();

beforeAll(async () => {
  if (!here) return;
  for (const target of [ann, bob]) {
    const read = async (file: string) =>
      `${ok(await run("cat", [join(target.client.env["DOCKER_CERT_PATH"] ?? "", file)]))}\n`;
    bundled.set(target, {
      ca: await read("ca.pem"),
      cert: await read("cert.pem"),
      key: await read("key.pem"),
    });
  }
});

function bundleOf(target: Target) {
  const bundle = bundled.get(target);
  if (!bundle) throw new Error("no bundle");
  return bundle;
}

const caOf = (target: Target) => bundleOf(target).ca;
/** "CN=…" of a sandbox's CA, without the CN. */
const authorityOf = (target: Target) => new X509Certificate(caOf(target)).subject.slice(3);

function identifierOf(pem: string): Buffer {
  const extension = forge.pki.certificateFromPem(pem).getExtension("subjectKeyIdentifier");
  return Buffer.from((extension as { subjectKeyIdentifier: string }).subjectKeyIdentifier, "hex");
}

const serverFile = async (target: Target, file: string) =>
  ok(await target.asRoot(`cat /berth/certs/${file}`));
const serverKey = async (target: Target) =>
  createPrivateKey(await serverFile(target, "server-key.pem"));

describe.runIf(here)("the right certificate", () => {
  it("made the same way as the wrong ones, is let in", async () => {
    const ran = await dial(ann, { signedBy: berthKey, issuer: authorityOf(ann) });
    expect(ran.stdout).toContain("Server");
    expect(ran.code).toBe(0);
  });

  it("of each user's own bundle is let in", async () => {
    for (const target of [ann, bob]) {
      const { cert, key } = bundleOf(target);
      expect((await dialWith(target, cert, key)).code).toBe(0);
    }
  });
});

const forged = (name: string, made: () => Promise<Ran>): Attempt => ({
  name,
  made,
  refused,
  seenToFail: control,
});

attempts("somebody with a docker client", () => ann, [
  forged("get in with the certificate of another sandbox", () => {
    const { cert, key } = bundleOf(bob);
    return dialWith(ann, cert, key);
  }),
  forged("get in with it and its CA's certificate, of which Berth's one key signed both", () => {
    const { cert, key, ca } = bundleOf(bob);
    return dialWith(ann, cert + ca, key);
  }),
  forged("get in when Berth's key signed, but for another sandbox", () =>
    dial(ann, {
      signedBy: berthKey,
      issuer: authorityOf(bob),
      keyIdentifier: identifierOf(caOf(bob)),
    }),
  ),
  forged("get in when Berth's key signed for another sandbox with this one's key identifier", () =>
    dial(ann, { signedBy: berthKey, issuer: authorityOf(bob) }),
  ),
  forged("get in with a certificate that has expired", () =>
    dial(ann, {
      signedBy: berthKey,
      issuer: authorityOf(ann),
      notBefore: new Date(Date.now() - 2 * dayMs),
    }),
  ),
  forged("get in with a certificate of tomorrow", () =>
    dial(ann, {
      signedBy: berthKey,
      issuer: authorityOf(ann),
      notBefore: new Date(Date.now() + dayMs),
    }),
  ),
  forged("get in with a certificate for servers", () =>
    dial(ann, { signedBy: berthKey, issuer: authorityOf(ann), usage: "server" }),
  ),
  forged("get in with the engine's own certificate and key, which its root can read", async () =>
    dialWith(
      ann,
      await serverFile(ann, "server-cert.pem"),
      await serverFile(ann, "server-key.pem"),
    ),
  ),
  forged("get in with a certificate that the engine's own key signed", async () =>
    dial(ann, { signedBy: await serverKey(ann), issuer: ann.sandbox.id }),
  ),
  forged("get in with such a one and the engine's certificate as the link to the CA", async () => {
    const chain = await serverFile(ann, "server-cert.pem");
    const keyIdentifier = identifierOf(chain);
    const signedBy = await serverKey(ann);
    return dial(ann, { signedBy, issuer: ann.sandbox.id, keyIdentifier, chain });
  }),
  forged("get into another sandbox with what its own engine's key signed", async () => {
    const chain = await serverFile(ann, "server-cert.pem");
    const keyIdentifier = identifierOf(chain);
    const signedBy = await serverKey(ann);
    return dial(bob, { signedBy, issuer: ann.sandbox.id, keyIdentifier, chain });
  }),
  forged("get in with the CA's name on what the engine's own key signed", async () =>
    dial(ann, { signedBy: await serverKey(ann), issuer: authorityOf(ann) }),
  ),
  forged("get in with the user's name, from a CA made at home", async () => {
    const { privateKey } = await generateKey();
    return dial(ann, { signedBy: privateKey, issuer: "home", keyIdentifier: Buffer.alloc(20) });
  }),
  forged(
    "get in with the user's name, from a CA made at home in the name of the right one",
    async () => {
      const { privateKey } = await generateKey();
      return dial(ann, { signedBy: privateKey, issuer: authorityOf(ann) });
    },
  ),
  forged("get in without a certificate", () =>
    run("curl", ["-skfS", `${ann.sandbox.dockerHost.replace("tcp:", "https:")}/_ping`]),
  ),
  forged("get in without TLS", () =>
    run("curl", ["-sfS", `${ann.sandbox.dockerHost.replace("tcp:", "http:")}/_ping`]),
  ),
]);
