import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import {
  advisories,
  decideAdvisories,
  decideEngineDirectory,
  isAffected,
  parseVersion,
  readPatches,
} from "../../../src/doctor/advisories.js";
import { engineFacts } from "../../../src/doctor/engine.js";

const engine = (runc: string, version = "28.5.2") =>
  engineFacts({ Version: version, Components: [{ Name: "runc", Version: runc }] }, {});
const never = () => false;

describe("isAffected", () => {
  const leaky = ["1.1.12"];
  const races = ["1.2.8", "1.3.3", "1.4.0-rc.3"];
  const reload = ["25.0.13", "28.0.0"];
  it.each([
    ["1.1.11", leaky, true],
    ["1.1.12", leaky, false],
    ["1.1.15+ds1", leaky, false],
    ["1.2.0-rc.1", leaky, false],
    ["v1.0.3", leaky, true],
    ["1.1.15+ds1", races, true],
    ["1.2.7", races, true],
    ["1.2.8", races, false],
    ["1.2.9~ds1", races, false],
    ["1.3.2", races, true],
    ["1.3.3-0ubuntu1", races, false],
    ["1.4.0-rc.2", races, true],
    ["1.4.0-rc.3", races, false],
    ["1.4.0", races, false],
    ["1.5.0-rc.1", races, false],
    ["25.0.12", reload, true],
    ["25.0.13", reload, false],
    ["26.1.5+dfsg1", reload, true],
    ["28.0.0-rc.1", reload, true],
    ["29.5.1", reload, false],
    ["dev", reload, false],
    ["", leaky, false],
  ])("%j, fixed in %j: %s", (version, fixedIn, affected) => {
    expect(isAffected(version, fixedIn)).toBe(affected);
  });

  it("knows each version of the list", () => {
    for (const version of advisories.flatMap(({ fixedIn }) => fixedIn))
      expect(parseVersion(version)).toBeDefined();
  });
});

describe("advisories", () => {
  it("names what a runc has, as warnings with the way to see whether it is mended", () => {
    const found = decideAdvisories({
      engine: engine("1.1.11"),
      firewalldIsActive: false,
      isPatched: never,
    });
    expect(found.map(({ status }) => status)).toEqual(["warning", "warning"]);
    expect(found[0]?.what).toContain("runc 1.1.11 has CVE-2024-21626, unless");
    expect(found[0]?.fix).toContain("zgrep CVE-2024-21626 /usr/share/doc/runc/");
    expect(found[1]?.what).toContain("CVE-2025-31133, CVE-2025-52565, CVE-2025-52881");
  });

  it("leaves out what the distribution says it has mended", () => {
    const isPatched = (packages: readonly string[], id: string) =>
      packages.includes("runc") && id !== "CVE-2025-52881";
    const found = decideAdvisories({
      engine: engine("1.1.15+ds1"),
      firewalldIsActive: false,
      isPatched,
    });
    expect(found).toMatchObject([{ status: "warning" }]);
    expect(found[0]?.what).toContain("has CVE-2025-52881, unless");
  });

  it.each([
    [false, "ok"],
    [true, "warning"],
  ])(
    "asks whether firewalld is there (%s), which one of them needs",
    (firewalldIsActive, status) => {
      const old = engine("1.3.3", "26.1.5");
      expect(decideAdvisories({ engine: old, firewalldIsActive, isPatched: never })).toMatchObject([
        { check: "advisories", status },
      ]);
    },
  );
});

describe("readPatches", () => {
  it("reads packages' changelogs, and does without", async () => {
    const dir = await mkdtemp(join(tmpdir(), "berth-doctor-"));
    try {
      await mkdir(join(dir, "runc"));
      const changelog = "runc (1.1.15+ds1-2+deb13u1)\n  * Fix CVE-2025-31133: masked paths\n";
      await writeFile(join(dir, "runc", "changelog.Debian.gz"), gzipSync(changelog));
      const isPatched = await readPatches(dir);
      expect(isPatched(["runc"], "CVE-2025-31133")).toBe(true);
      expect(isPatched(["runc"], "CVE-2024-21626")).toBe(false);
      expect(isPatched(["docker.io"], "CVE-2025-31133")).toBe(false);
    } finally {
      await rm(dir, { recursive: true });
    }
  });
});

describe("engine directory", () => {
  it.each([
    ["ok", undefined],
    ["ok", 0o700],
    ["warning", 0o711],
    ["warning", 0o755],
  ])("%s with mode %s", (status, mode) => {
    expect(decideEngineDirectory(mode)).toMatchObject({ check: "engine directory", status });
  });
});
