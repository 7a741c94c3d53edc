import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadConfig, parseConfig } from "../../src/config.js";
import { exerciseProfiles } from "../../src/exercise-profiles.js";
import { exerciseNames } from "../../src/image/exercise-folder.js";
import { BerthError } from "../../src/lib/errors.js";

const GiB = 1024 ** 3;
const hour = 3_600_000;
const file = "/etc/berth/berth.yaml";

function refusalOf(given: unknown): string {
  try {
    parseConfig(given, file);
  } catch (error) {
    if (!(error instanceof BerthError)) throw error;
    expect(error.code).toBe("CONFIG_INVALID");
    expect(error.message).toContain(file);
    return error.message;
  }
  throw new Error(`it was accepted: ${JSON.stringify(given)}`);
}

describe("the configuration", () => {
  it("is whole when nothing is given", () => {
    expect(parseConfig({}, file)).toMatchObject({
      dataDir: "/var/lib/berth",
      listen: { host: "127.0.0.1", port: 8420, plainHttp: false },
      ports: {
        engine: { from: 20_000, to: 20_999 },
        user: { from: 21_000, to: 30_999 },
        perSandbox: 10,
      },
      ttl: { default: 24 * hour, max: 7 * 24 * hour },
      sandboxesPerUser: 3,
      limits: { default: { memoryBytes: GiB, cpus: 1.5, pids: 512, diskBytes: 10 * GiB } },
    });
    expect(parseConfig({}, file).profiles[0]).toMatchObject({
      name: "default",
      ttlMs: 24 * hour,
      limits: { memoryBytes: GiB },
      images: [],
    });
    expect(parseConfig({}, file).profiles[1]).toMatchObject({ name: "empty", images: [] });
  });

  it.each([
    ["0", /io\.write.*must be at least 1M/],
    ["512K", /io\.write.*must be at least 1M/],
    [1000, /io\.write.*must be at least 1M/],
    ["fast", /io\.write.*is no size/],
  ])("takes no bandwidth of %j, with which no engine starts", (write, why) => {
    expect(refusalOf({ io: { write } })).toMatch(why);
  });

  it.each(["9s", "25h", "0s", "often"])("takes no reapEvery of %j", (reapEvery) => {
    expect(refusalOf({ reapEvery })).toContain("reapEvery");
  });

  it.each([
    [{}, 60_000],
    [{ reapEvery: "10s" }, 10_000],
    [{ reapEvery: "1d" }, 24 * hour],
  ])("has the interval of reaps in ms (%j)", (given, ms) => {
    expect(parseConfig(given, file).reapEvery).toBe(ms);
  });

  it("takes a bandwidth of 1M, and more", () => {
    const MiB = 1024 ** 2;
    expect(parseConfig({ io: { read: "1M", write: "200M" } }, file).io).toEqual({
      read: MiB,
      write: 200 * MiB,
    });
  });

  it("brings a profile for each exercise, no more generous than default", async () => {
    const own = { default: { egress: "none" }, vpn: { ttl: "2h" } };
    const limits = { default: { memory: "256M" } };
    const { profiles } = parseConfig({ profiles: own, limits }, file);
    expect(profiles.map(({ name }) => name).toSorted()).toEqual(
      ["default", "empty", ...Object.keys(exerciseProfiles)].toSorted(),
    );
    for (const { name, ...given } of profiles.filter(
      (p) => p.name in exerciseProfiles && !(p.name in own),
    )) {
      const memoryBytes = 256 * 1024 ** 2;
      expect([name, given]).toMatchObject([
        name,
        {
          egress: { mode: "none" },
          devices: [],
          isolation: "userns",
          limits: { memoryBytes },
          images: exerciseProfiles[name]?.exercises,
        },
      ]);
    }
    expect(profiles.find(({ name }) => name === "vpn")?.ttlMs).toBe(2 * hour);
    const folders = await exerciseNames(join(import.meta.dirname, "../../images/exercises"));
    expect(Object.keys(exerciseProfiles).toSorted()).toEqual(["exercises", ...folders].toSorted());
    const shell = parseConfig({}, file).profiles.find(({ name }) => name === "shell");
    expect(shell?.limits.memoryBytes).toBe(512 * 1024 ** 2);
  });

  it("reads sizes, durations and ranges as people write them", () => {
    const config = parseConfig(
      {
        limits: { default: { memory: "1.5G", disk: 1_073_741_824 }, max: { memory: "4GiB" } },
        ttl: { default: "1h30m" },
        ports: { engine: "3000-3009", user: { from: 4000, to: 4999 } },
      },
      file,
    );
    expect(config.limits.default).toMatchObject({ memoryBytes: 1.5 * GiB, diskBytes: GiB });
    expect(config.limits.max).toMatchObject({ memoryBytes: 4 * GiB, cpus: 16 });
    expect(config.ttl.default).toBe(1.5 * hour);
    expect(config.ports.engine).toEqual({ from: 3000, to: 3009 });
    expect(config.ports.user).toEqual({ from: 4000, to: 4999 });
  });

  it("gives a profile what it does not say itself, and lets default be redefined", () => {
    const { profiles } = parseConfig(
      {
        limits: { default: { memory: "2G" } },
        ttl: { default: "8h" },
        profiles: {
          databases: { description: "For the course", ttl: "4h", limits: { cpus: 4 } },
          default: { limits: { pids: 100 } },
        },
      },
      file,
    );
    expect(profiles.map(({ name }) => name).slice(0, 2)).toEqual(["default", "databases"]);
    expect(profiles[0]).toMatchObject({ ttlMs: 8 * hour, limits: { pids: 100, cpus: 1.5 } });
    expect(profiles[1]).toMatchObject({
      description: "For the course",
      ttlMs: 4 * hour,
      limits: { memoryBytes: 2 * GiB, cpus: 4, pids: 512 },
    });
  });

  it.each([
    [{ lisen: {} }, /lisen: unknown key, did you mean "listen"/],
    [{ listen: { prot: 1 } }, /listen\.prot: unknown key, did you mean "port"/],
    [{ limits: { max: { memroy: "1G" } } }, /limits\.max\.memroy: .*"memory"/],
    [{ profiles: { db: { limit: {} } } }, /profiles\.db\.limit: .*"limits"/],
    [
      { ports: { engine: { from: 1, too: 2 } } },
      /ports\.engine\.too: unknown key, did you mean "to"/,
    ],
    [{ listen: { tls: { cert: "/a", kee: "/b" } } }, /listen\.tls\.kee: .*"key"/],
    [{ image: { bases: "x" } }, /image\.bases: .*"base"/],
  ])("refuses %j with the nearest key that it knows", (given, says) => {
    expect(refusalOf(given)).toMatch(says);
  });

  it.each([
    [{ limits: { default: { memory: "1Q" } } }, /limits\.default\.memory: "1Q" is no size/],
    [{ ttl: { max: "soon" } }, /ttl\.max: "soon" is no duration/],
    [{ ports: { engine: "20000" } }, /ports\.engine: must look like 20000-20499/],
    [{ ports: { engine: "20010-20000" } }, /ports\.engine: must not end before it starts/],
    [{ ports: { engine: "0-10" } }, /ports\.engine\.from/],
    [{ ports: { user: "60000-70000" } }, /ports\.user\.to/],
    [{ ports: { perSandbox: 0 } }, /ports\.perSandbox/],
    [{ listen: { port: 70_000 } }, /listen\.port/],
    [{ dataDir: "relative" }, /dataDir/],
    [{ publicHosts: [] }, /publicHosts/],
    [{ network: { pool: "10.0.0.0" } }, /network\.pool/],
    [{ dns: ["localhost"] }, /dns/],
    [{ profiles: { "Data Bases": {} } }, /lower-case/],
    [{ profiles: { db: { isolation: "none" } } }, /profiles\.db\.isolation/],
    [{ subordinateUids: { from: 100_000, to: 100_001 } }, /at least 65536 uids/],
    [{ engine: { socket: "docker.sock" } }, /engine\.socket/],
    [{ logLevel: "loud" }, /logLevel/],
    [[], /expected object/],
    ["text", /expected object/],
  ])("refuses %j and says where and why", (given, says) => {
    expect(refusalOf(given)).toMatch(says);
  });

  it.each([
    [
      { ports: { engine: "21000-21100" } },
      /ports\.engine \(21000-21100\) and ports\.user .* overlap/,
    ],
    [{ ports: { user: "25000-25004" } }, /ports\.user \(25000-25004\) is smaller than .*\(10\)/],
    [{ ttl: { default: "8d" } }, /ttl\.default is above ttl\.max/],
    [{ profiles: { db: { ttl: "8d" } } }, /profiles\.db\.ttl is above ttl\.max/],
    [
      { limits: { default: { memory: "32G" } } },
      /profile default: its memoryBytes is above limits\.max/,
    ],
    [{ profiles: { db: { limits: { cpus: 17 } } } }, /profile db: its cpus is above limits\.max/],
    [{ limits: { max: { pids: 100 } } }, /profile default: its pids is above limits\.max/],
    [{ limits: { default: { memory: "64M" } } }, /its memoryBytes is below .*no engine starts/],
    [{ profiles: { db: { limits: { pids: 10 } } } }, /profile db: its pids is below 64/],
    [{ listen: { host: "0.0.0.0" } }, /0\.0\.0\.0 would carry tokens without TLS.*plainHttp: true/],
  ])("refuses the contradiction in %j", (given, says) => {
    expect(refusalOf(given)).toMatch(says);
  });

  it("serves without TLS on loopback, with TLS anywhere, and elsewhere only when told to", () => {
    const tls = { cert: "/c.pem", key: "/k.pem" };
    for (const listen of [
      { host: "::1" },
      { host: "localhost" },
      { host: "0.0.0.0", tls },
      { host: "10.0.0.1", plainHttp: true },
    ])
      expect(parseConfig({ listen }, file).listen).toMatchObject(listen);
  });
});

describe("the configuration's file", () => {
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "berth-config-"));
  });
  afterAll(() => rm(dir, { recursive: true }));

  const load = async (text: string) => {
    const path = join(dir, "berth.yaml");
    await writeFile(path, text);
    return loadConfig(path);
  };

  it("may be empty, or hold only comments", async () => {
    expect((await load("")).listen.port).toBe(8420);
    expect((await load("# nothing yet\n")).listen.port).toBe(8420);
    expect((await load("listen: { port: 9000 }\n")).listen.port).toBe(9000);
  });

  it("is refused by its path when it is not YAML, or is asked for and not there", async () => {
    const invalid = { code: "CONFIG_INVALID", message: expect.stringContaining(dir) as string };
    await expect(load("listen: [")).rejects.toMatchObject(invalid);
    await expect(load("a: 1\na: 2\n")).rejects.toMatchObject(invalid);
    await expect(load("just a text")).rejects.toMatchObject(invalid);
    await expect(loadConfig(join(dir, "none.yaml"))).rejects.toMatchObject(invalid);
    await expect(loadConfig(dir)).rejects.toMatchObject(invalid);
  });
});

describe("isolation and network", () => {
  it("holds sandboxes by user namespaces, with the Internet open, unless told otherwise", () => {
    const config = parseConfig({}, file);
    expect(config.allowPrivileged).toBe(false);
    for (const profile of config.profiles) {
      expect(profile).toMatchObject({
        isolation: "userns",
        egress: { mode: "open", to: [] },
        devices: [],
      });
    }
  });

  it("takes a privileged profile only from an operator who allows it", () => {
    const profiles = { trusted: { isolation: "privileged" } };
    expect(refusalOf({ profiles })).toContain("allowPrivileged: true");
    expect(parseConfig({ profiles, allowPrivileged: true }, file).profiles[1]?.isolation).toBe(
      "privileged",
    );
  });

  it.each([
    [{ profiles: { a: { egress: "list" } } }, "egressTo"],
    [{ profiles: { a: { egressTo: ["203.0.113.1"] } } }, "egressTo"],
    [{ profiles: { a: { egress: "list", egressTo: ["example.org"] } } }, "profiles.a.egressTo"],
    [{ profiles: { a: { devices: ["/etc/passwd"] } } }, "below /dev"],
    [{ profiles: { a: { devices: ["/dev/loop7"] } } }, "loop device"],
    [{ profiles: { a: { devices: ["/dev/../etc/passwd"] } } }, "below /dev"],
    [{ network: { pool: "10.0.0.0/30" } }, "too small"],
    [{ network: { allowPrivate: ["lan"] } }, "network.allowPrivate"],
  ])("refuses %j", (given, told) => {
    expect(refusalOf(given)).toContain(told);
  });
});

describe("preloaded images", () => {
  it("are references, paths and names, by profile", () => {
    const images = ["alpine:3.22", "/srv/images/db.tar", "shell"];
    const { profiles } = parseConfig({ profiles: { course: { images } } }, file);
    expect(profiles.find(({ name }) => name === "course")?.images).toEqual(images);
    expect(refusalOf({ profiles: { course: { images: ["two words"] } } })).toContain(
      "profiles.course.images",
    );
  });

  it("leave the profile `empty` to whoever redefines it", () => {
    const { profiles } = parseConfig({ profiles: { empty: { images: ["alpine"] } } }, file);
    expect(profiles.filter(({ name }) => name === "empty")).toHaveLength(1);
    expect(profiles[1]?.images).toEqual(["alpine"]);
  });
});
