import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import {
  advisories,
  decideAdvisories,
  decideEngineDirectory,
  dockerPackages,
  isAffected,
  parseVersion,
  readPatches,
} from "../../../src/doctor/advisories.js";
import { engineFacts } from "../../../src/doctor/engine.js";
import { fakeMachine } from "./fake-machine.js";

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
      fromDocker: [],
    });
    expect(found.map(({ status }) => status)).toEqual(["warning", "warning"]);
    expect(found[0]?.what).toContain("runc 1.1.11 has CVE-2024-21626, unless");
    expect(found[0]?.fix).toContain("zgrep CVE-2024-21626 /usr/share/doc/runc/");
    expect(found[1]?.what).toContain("CVE-2025-31133, CVE-2025-52565, CVE-2025-52881");
  });

  it("leaves out what the distribution says it has mended", () => {
    const isPatched = (name: string, id: string) => name === "runc" && id !== "CVE-2025-52881";
    const found = decideAdvisories({
      engine: engine("1.1.15+ds1"),
      firewalldIsActive: false,
      isPatched,
      fromDocker: [],
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
      const facts = { engine: old, firewalldIsActive, isPatched: never, fromDocker: [] };
      expect(decideAdvisories(facts)).toMatchObject([{ check: "advisories", status }]);
    },
  );
});

describe("advisories on docker.com's packages", () => {
  const found = (runc: string, version: string, fromDocker: string[]) =>
    decideAdvisories({
      engine: engine(runc, version),
      firewalldIsActive: true,
      // What another package's changelog says is not of these.
      isPatched: () => true,
      fromDocker,
    });
  const both = ["containerd.io", "docker-ce"];

  it("name the packages that mend it, whose versions are all there is to know", () => {
    const faults = found("1.3.2", "27.5.1", both);
    expect(faults.map(({ fix }) => fix)).toEqual([
      "apt-get update; apt-get install --only-upgrade containerd.io; systemctl restart docker",
      "apt-get update; apt-get install --only-upgrade docker-ce; systemctl restart docker",
    ]);
    for (const { what } of faults) expect(what).not.toContain("unless");
  });

  it("are told of the parts that are docker.com's", () => {
    expect(found("1.3.2", "27.5.1", ["docker-ce"])).toMatchObject([
      { status: "warning", what: expect.stringContaining("Docker Engine 27.5.1 has") as string },
    ]);
    expect(found("1.3.4", "29.1.0", both)).toMatchObject([{ status: "ok" }]);
  });

  it.each([
    ["both", "install ok installed", both],
    ["none that was removed", "deinstall ok config-files", []],
  ])("are known by what dpkg has installed: %s", async (_which, status, names) => {
    const packages = ["bash", "containerd.io", "docker-ce", "docker-ce-cli"];
    const text = packages.map((name) => `Package: ${name}\nStatus: ${status}\nPriority: x\n`);
    const machine = fakeMachine({ "/var/lib/dpkg/status": text.join("\n") });
    expect(await dockerPackages(machine)).toEqual(names);
  });

  it("are none where there is no dpkg", async () => {
    expect(await dockerPackages(fakeMachine())).toEqual([]);
  });
});

describe("advisories on a runc without a version", () => {
  it.each([
    ["that is not told", [], "does not tell the version of its runc"],
    ["that is empty", [{ Name: "runc", Version: "" }], "does not tell the version of its runc"],
    ["that is none", [{ Name: "runc", Version: "N/A" }], '(it says "N/A")'],
  ])("%s is no version without holes", (_which, Components, what) => {
    const facts = {
      engine: engineFacts({ Version: "28.5.2", Components }, {}),
      firewalldIsActive: false,
      isPatched: never,
      fromDocker: [],
    };
    expect(decideAdvisories(facts)).toMatchObject([
      { check: "advisories", status: "warning", what: expect.stringContaining(what) as string },
    ]);
  });
});

describe("readPatches", () => {
  it("reads packages' changelogs, and does without", async () => {
    const dir = await mkdtemp(join(tmpdir(), "berth-doctor-"));
    try {
      await mkdir(join(dir, "runc"));
      const changelog = "runc (1.1.15+ds1-2+deb13u1)\n  * Fix CVE-2025-31133: masked paths\n";
      await writeFile(join(dir, "runc", "changelog.Debian.gz"), gzipSync(changelog));
      const isPatched = await readPatches(dir);
      expect(isPatched("runc", "CVE-2025-31133")).toBe(true);
      expect(isPatched("runc", "CVE-2024-21626")).toBe(false);
      expect(isPatched("docker.io", "CVE-2025-31133")).toBe(false);
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
    expect(decideEngineDirectory(mode, [])).toMatchObject({ check: "engine directory", status });
  });

  it.each([
    ["containerd", []],
    ["containerd.io", ["containerd.io", "docker-ce"]],
  ])("is mended by the package %s", (name, fromDocker) => {
    expect(decideEngineDirectory(0o711, fromDocker).fix).toMatch(
      new RegExp(`--only-upgrade ${name}$`),
    );
  });
});
