import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Ways } from "../../../src/users/record.js";
import { Users } from "../../../src/users/users.js";

let dir: string;
let logged: string[];
let users: Users;

/** What a daemon that starts now knows of the users. */
async function started(ways: Ways = {}): Promise<Users> {
  const log = pino({}, { write: (line: string) => void logged.push(line) });
  const fresh = new Users({ dir, log, ways, now: () => new Date("2026-01-01T12:00:00Z") });
  await fresh.load();
  return fresh;
}

beforeEach(async () => {
  dir = join(await mkdtemp(join(tmpdir(), "berth-users-")), "users");
  logged = [];
  users = await started();
});
afterEach(() => rm(join(dir, ".."), { recursive: true }));

const fileOf = (name: string) => join(dir, `${name}.json`);

describe("a user", () => {
  it("is known by the token of their adding, and by no other", async () => {
    const { token, ...ann } = await users.add("ann");
    const { token: bobs } = await users.add("bob", "admin");
    expect(ann).toEqual({
      name: "ann",
      role: "user",
      groups: [],
      createdAt: "2026-01-01T12:00:00.000Z",
      hasToken: true,
      hasPassword: false,
    });
    expect(await users.authenticate(token)).toEqual(ann);
    expect(await users.authenticate(token)).toEqual(ann);
    expect(await users.authenticate(bobs)).toMatchObject({ name: "bob", role: "admin" });
    const [prefix, id] = token.split("_");
    const crossed = [prefix, id, ...bobs.split("_").slice(2)].join("_");
    for (const wrong of [crossed, `${token}x`, token.slice(1), "", "berth_", ` ${token}`])
      expect(await users.authenticate(wrong), wrong).toBeUndefined();
  });

  it("is kept as a hash, in a file and a directory of its owner's alone", async () => {
    const { token } = await users.add("ann");
    const text = await readFile(fileOf("ann"), "utf8");
    const secret = token.split("_").slice(2).join("_");
    expect(text).not.toContain(secret);
    expect(text).not.toContain(Buffer.from(secret, "base64url").toString("base64"));
    expect(text).not.toContain(Buffer.from(secret, "base64url").toString("hex"));
    expect((await stat(fileOf("ann"))).mode & 0o777).toBe(0o600);
    expect((await stat(dir)).mode & 0o777).toBe(0o700);
    expect(await readdir(dir)).toEqual(["ann.json"]);
    expect(JSON.stringify(users.list())).not.toContain("hash");
  });

  it("is still known after a restart", async () => {
    const { token } = await users.add("ann", "admin");
    const again = await started();
    expect(again.list()).toEqual(users.list());
    expect(await again.authenticate(token)).toMatchObject({ name: "ann", role: "admin" });
  });

  it("is added once, and the token stays as it is", async () => {
    const { token } = await users.add("ann");
    await expect(users.add("ann")).rejects.toMatchObject({ code: "USER_EXISTS" });
    expect(await users.authenticate(token)).toBeDefined();
    const both = await Promise.allSettled([users.add("bob"), users.add("bob")]);
    expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  });

  it("without a token gets one when they are added, and keeps their first day", async () => {
    await users.ensure("ann");
    expect(users.list()).toEqual([expect.objectContaining({ name: "ann", hasToken: false })]);
    const added = await users.add("ann");
    expect(added).toMatchObject({ hasToken: true, createdAt: "2026-01-01T12:00:00.000Z" });
    await users.ensure("ann");
    expect(await users.authenticate(added.token)).toBeDefined();
  });

  it("is gone with their token at once, also when the token had just been used", async () => {
    const { token } = await users.add("ann");
    expect(await users.authenticate(token)).toBeDefined();
    users.revoke("ann");
    expect(await users.authenticate(token)).toBeUndefined();
    expect(await readdir(dir)).toEqual(["ann.json"]);
    await users.remove("ann");
    expect(await readdir(dir)).toEqual([]);
    expect(await (await started()).authenticate(token)).toBeUndefined();
    expect(() => {
      users.revoke("ann");
    }).toThrow(/no user ann/);
    const { token: second } = await users.add("ann");
    expect(await users.authenticate(token)).toBeUndefined();
    expect(await users.authenticate(second)).toBeDefined();
  });

  it("is not let in by a token that is still being looked at when they are removed", async () => {
    const { token } = await users.add("ann");
    const asking = users.authenticate(token);
    users.revoke("ann");
    expect(await asking).toBeUndefined();
  });
});

describe("a damaged record", () => {
  it.each([
    ["half a file", '{"name":'],
    ["a role there is none of", '{"name":"ann","role":"god","createdAt":"2026-01-01T12:00:00Z"}'],
    ["a key of nobody's", '{"name":"ann","role":"user","createdAt":"2026-01-01T12:00:00Z","x":1}'],
    ["another's name", '{"name":"bob","role":"admin","createdAt":"2026-01-01T12:00:00Z"}'],
    ["nothing", ""],
  ])("shuts its user out, and no one else (%s)", async (_what, text) => {
    const { token } = await users.add("ann", "admin");
    const { token: carols } = await users.add("carol");
    await writeFile(fileOf("ann"), text);
    const again = await started();
    expect(await again.authenticate(token)).toBeUndefined();
    expect(again.list().map(({ name }) => name)).toEqual(["carol"]);
    expect(await again.authenticate(carols)).toBeDefined();
    expect(logged).toHaveLength(1);
    expect(logged[0]).toContain(fileOf("ann"));
  });

  it("does not keep the daemon from starting when other files lie beside it", async () => {
    await writeFile(join(dir, "ann.json.123"), "left by a write that was killed");
    await chmod(dir, 0o700);
    expect((await started()).list()).toEqual([]);
    expect(logged).toEqual([]);
  });
});

describe("what others have told of a user", () => {
  const issuer = "https://id.test";
  const both: Ways = { oidc: { issuer, adminGroups: ["ops"] }, proxy: { adminGroups: ["ops"] } };
  const told = { name: "ann", groups: ["ops"], isAdmin: true };
  const stillTold = async (ways: Ways) => (await started(ways)).list()[0];

  it.each([
    ["a provider", { ...told, oidc: { issuer, subject: "17" } }, { oidc: both.oidc }],
    ["a proxy", told, { proxy: both.proxy }],
  ])("counts for as long as the configuration has %s", async (_what, identity, ways) => {
    await users.admit(identity);
    expect(await stillTold(ways)).toMatchObject({ role: "admin", groups: ["ops"] });
    expect(await stillTold({})).toMatchObject({ role: "user", groups: [] });
    const withoutAdmins = Object.fromEntries(
      Object.entries(ways).map(([way, one]) => [way, { ...one, adminGroups: [] }]),
    );
    expect(await stillTold(withoutAdmins)).toMatchObject({ role: "user", groups: ["ops"] });
    expect(await stillTold(ways), "the file is as it was").toMatchObject({ role: "admin" });
  });

  it("is not another provider's", async () => {
    await users.admit({ ...told, oidc: { issuer, subject: "17" } });
    const other = { oidc: { issuer: "https://other.test", adminGroups: ["ops"] } };
    expect(await stillTold(other)).toMatchObject({ role: "user", groups: [] });
  });
});

it("a user who comes anew while they are removed is there after the next start", async () => {
  await users.add("ann");
  users.revoke("ann");
  await users.admit({ name: "ann", groups: [], isAdmin: false });
  await users.remove("ann");
  expect((await started()).list()).toMatchObject([{ name: "ann", hasToken: false }]);
});

describe("records of older versions", () => {
  // As earlier daemons wrote them: none of these says a version.
  const token = {
    id: "324de8781358",
    salt: "CRYPI8N/m6v9dYXvy0Rcwg==",
    hash: "Bd8hUBZoMqiuwObr6emkOLvrfMdV9P0sB/gM/CjAwsw=",
  };
  const createdAt = "2026-01-01T12:00:00.000Z";
  const first = { name: "ann", role: "admin", createdAt, token };
  const withEpoch = { name: "bob", role: "user", createdAt, epoch: "05u0E41Msm3M" };
  const told = { issuer: "https://id.test", subject: "1", groups: ["staff"], isAdmin: true };
  const withGroups = { ...withEpoch, name: "cat", groups: ["lab"], oidc: told };

  const readBack = async (name: string): Promise<unknown> =>
    JSON.parse(await readFile(fileOf(name), "utf8"));

  beforeEach(async () => {
    for (const record of [first, withEpoch, withGroups])
      await writeFile(fileOf(record.name), JSON.stringify(record));
  });

  it("are read, and stay on the disk as they are until something of them changes", async () => {
    const later = await started();
    expect(later.list().map(({ name, role, groups }) => [name, role, groups])).toEqual([
      ["ann", "admin", []],
      ["bob", "user", []],
      ["cat", "user", ["lab"]],
    ]);
    expect(logged).toEqual([]);
    for (const record of [first, withEpoch, withGroups])
      expect(await readBack(record.name)).toEqual(record);
    await later.change("ann", { groups: ["lab"] });
    expect(await readBack("ann")).toEqual({ ...first, version: 1, groups: ["lab"] });
    expect((await started()).list()).toEqual(later.list());
  });

  it("of a newer version shut their user out, stay as they are, and name the way out", async () => {
    const newer = { ...first, version: 2, colour: "red" };
    await writeFile(fileOf("ann"), JSON.stringify(newer));
    const later = await started();
    expect(later.has("ann")).toBe(false);
    expect(await readBack("ann")).toEqual(newer);
    expect(logged.join()).toContain(`${fileOf("ann")} is of version 2`);
    expect(logged.join()).toContain("install that Berth again");
  });
});
