import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openSigningKey, signingKeyFile } from "../../../src/certs/signing-key.js";
import { sharedKeys, temporaryDirectory, testAuthority } from "./support.js";

const keys = sharedKeys(4);
const generate = () => keys.take();

it("makes the key at first use, for its owner only, and leaves nothing else behind", async () => {
  const directory = join(await temporaryDirectory(), "certs");
  await openSigningKey(directory, generate);
  expect(await readdir(directory)).toEqual([signingKeyFile]);
  const { mode } = await stat(join(directory, signingKeyFile));
  expect(mode & 0o777).toBe(0o600);
});

it("keeps the key over a restart: clients of an earlier sandbox can still be issued", async () => {
  const directory = await temporaryDirectory();
  const before = await testAuthority(directory);
  const request = { sandboxId: "a1b2c3d4", hosts: ["localhost"] };
  const { caPem } = await before.authority.issueForSandbox(request);
  const after = await testAuthority(directory);
  const own = await after.authority.issueOwn({ sandboxId: "a1b2c3d4", caPem });
  const ca = new X509Certificate(caPem);
  expect(new X509Certificate(own.certPem).verify(ca.publicKey)).toBe(true);
});

it("gives all who open it at once the same key", async () => {
  const directory = await temporaryDirectory();
  const opened = await Promise.all([1, 2, 3].map(() => openSigningKey(directory, generate)));
  const pems = opened.map((key) => key.export({ type: "pkcs8", format: "pem" }));
  expect(new Set(pems).size).toBe(1);
  expect(await readdir(directory)).toEqual([signingKeyFile]);
});

const rsa1024 = generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey;
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
const pem = (key: typeof ec) => key.export({ type: "pkcs8", format: "pem" }).toString();

it.each([
  ["empty", "", /it is empty/],
  ["cut off", "-----BEGIN PRIVATE KEY-----\nMIIE", /does not parse/],
  ["of another kind", pem(ec), /no RSA key of 2048 bits/],
  ["too short", pem(rsa1024), /no RSA key of 2048 bits/],
])("refuses a key file that is %s, and does not replace it", async (_, content, message) => {
  const directory = await temporaryDirectory();
  const path = join(directory, signingKeyFile);
  await writeFile(path, content, { mode: 0o600 });
  await expect(openSigningKey(directory, generate)).rejects.toMatchObject({
    code: "RECORD_INVALID",
    message: expect.stringMatching(message) as string,
  });
  expect(await readFile(path, "utf8")).toBe(content);
});

it("refuses a key file that others may read, or that is no file of its own", async () => {
  const directory = await temporaryDirectory();
  await openSigningKey(directory, generate);
  const path = join(directory, signingKeyFile);
  await chmod(path, 0o640);
  await expect(openSigningKey(directory, generate)).rejects.toThrow(/chmod 600/);
  await chmod(path, 0o600);

  const elsewhere = join(directory, "elsewhere");
  await mkdir(elsewhere);
  await symlink(path, join(elsewhere, signingKeyFile));
  await expect(openSigningKey(elsewhere, generate)).rejects.toThrow(/no regular file/);
});
