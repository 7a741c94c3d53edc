import { describe, expect, it } from "vitest";
import { minLimits, parseConfig } from "../../../src/config.js";
import { allowanceOf } from "../../../src/provisioner/allowance.js";
import type { Settings } from "../../../src/provisioner/settings.js";
import { TestBerth } from "../../fakes/berth.js";

const GiB = 1024 ** 3;
const hour = 3_600_000;
const groups = {
  students: { limits: { memory: "512M" }, ttl: "4h", sandboxesPerUser: 1, profiles: ["small"] },
  staff: { limits: { memory: "32G", cpus: 2 }, profiles: ["default"] },
  everything: {},
};
const given = {
  groups,
  profiles: { small: { limits: { cpus: 1 } }, big: { ttl: "48h", limits: { memory: "8G" } } },
};
const config = parseConfig(given, "test");
const settings = {
  ...config,
  minLimits,
  maxLimits: config.limits.max,
  maxTtlMs: config.ttl.max,
} as unknown as Settings;
const allowed = (...names: string[]) => {
  const { maxLimits, maxTtlMs, sandboxesPerUser, profiles } = allowanceOf(settings, names);
  return {
    memory: maxLimits.memoryBytes / GiB,
    cpus: maxLimits.cpus,
    hours: maxTtlMs / hour,
    sandboxesPerUser,
    profiles: profiles.map(({ name }) => name),
  };
};
const everybody = {
  memory: 16,
  cpus: 16,
  hours: 168,
  sandboxesPerUser: 3,
  profiles: config.profiles.map(({ name }) => name),
};

describe("what a user may have", () => {
  it("is what everybody may, in no group that means anything", () => {
    expect(allowed()).toEqual(everybody);
    expect(allowed("gardeners")).toEqual(everybody);
    expect(allowed("everything")).toEqual(everybody);
  });

  it("is what their group says, more or less, and for the rest what everybody may", () => {
    expect(allowed("students")).toEqual({
      ...everybody,
      memory: 0.5,
      hours: 4,
      sandboxesPerUser: 1,
      profiles: ["small"],
    });
    expect(allowed("staff")).toEqual({ ...everybody, memory: 32, cpus: 2, profiles: ["default"] });
  });

  it("is the larger of several groups, whatever their order", () => {
    const both = { ...everybody, memory: 32, profiles: ["default", "small"] };
    expect(allowed("students", "staff")).toEqual(both);
    expect(allowed("staff", "students", "gardeners")).toEqual(both);
    expect(allowed("students", "everything")).toEqual(everybody);
  });

  it("bounds what profiles give by themselves", () => {
    const { profiles } = allowanceOf(settings, ["students"]);
    expect(profiles).toMatchObject([
      { name: "small", ttlMs: 4 * hour, limits: { memoryBytes: GiB / 2, cpus: 1 } },
    ]);
  });
});

describe("a sandbox", () => {
  it("is bounded by the groups of whoever owns it: made, extended and resized", async () => {
    const berth = await TestBerth.start(given);
    berth.groupsOf = (user) => (user === "ann" ? ["students"] : []);
    const { id, profile, limits } = await berth.create("ann");
    expect({ profile, limits }).toMatchObject({
      profile: "small",
      limits: { memoryBytes: GiB / 2 },
    });
    const refusals: [Promise<unknown>, string][] = [
      [berth.create("ann", { name: "second" }), "SANDBOX_LIMIT_REACHED"],
      [berth.create("ann", { name: "x", profile: "big" }), "PROFILE_UNKNOWN"],
      [berth.create("ann", { name: "x", memory: GiB }), "LIMIT_OUT_OF_RANGE"],
      [berth.create("ann", { name: "x", ttl: 5 * hour }), "TTL_TOO_LONG"],
      [berth.provisioner.extend(id, hour), "TTL_TOO_LONG"],
      [berth.provisioner.resize(id, { memory: GiB }), "LIMIT_OUT_OF_RANGE"],
    ];
    for (const [act, code] of refusals) await expect(act).rejects.toMatchObject({ code });
    expect((await berth.create("bob", { profile: "big" })).limits.memoryBytes).toBe(8 * GiB);
    berth.groupsOf = () => [];
    expect((await berth.provisioner.resize(id, { memory: GiB })).limits.memoryBytes).toBe(GiB);
    await berth.stop();
  });
});

describe("groups of the configuration", () => {
  it.each([
    [
      { a: { profiles: ["smal"] } },
      /groups\.a\.profiles: there is no profile "smal", did you mean "small"/,
    ],
    [{ a: { limits: { memory: "1M" } } }, /group a: its memoryBytes is below/],
    [{ a: { limit: {} } }, /unknown key, did you mean "limits"/],
    [{ "": {} }, /groups/],
  ])("are held against the rest (%j)", (bad, why) => {
    expect(() => parseConfig({ ...given, groups: bad }, "test")).toThrow(why);
  });
});

describe("signing in, in the configuration", () => {
  const oidc = { issuer: "https://id.example.edu", clientId: "berth" };
  it.each([
    [{ oidc: { ...oidc, issuer: "http://id.example.edu" } }, /must be https/],
    [{ oidc: { clientId: "x" } }, /issuer/],
    [
      { oidc: { ...oidc, clientSecret: "x" } },
      /clientSecret: unknown key, did you mean "clientSecretFile"/,
    ],
    [{ proxy: { header: "Remote-User" } }, /from/],
    [{ proxy: { header: "Remote-User", from: [] } }, /from/],
    [{ proxy: { header: "Remote-User", from: ["proxy.example.edu"] } }, /from/],
    [{ proxy: { header: "a b", from: ["127.0.0.1"] } }, /must be the name of a header/],
  ])("is refused where it would let in anybody (%j)", (signIn, why) => {
    expect(() => parseConfig({ signIn }, "test")).toThrow(why);
  });
});
