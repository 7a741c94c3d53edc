import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  answers,
  askEngine,
  decideDrivers,
  decideEngine,
  decideSwap,
  engineFacts,
} from "../../../src/doctor/engine.js";

const version = {
  Version: "26.1.5+dfsg1",
  Components: [
    { Name: "Engine", Version: "26.1.5+dfsg1", Details: {} },
    { Name: "containerd", Version: "1.7.24~ds1" },
    { Name: "runc", Version: "1.1.15+ds1" },
  ],
};
const info = {
  Driver: "overlay2",
  CgroupDriver: "systemd",
  CgroupVersion: "2",
  DockerRootDir: "/var/lib/docker",
  OperatingSystem: "Debian GNU/Linux 13 (trixie)",
  SecurityOptions: ["name=apparmor", "name=seccomp,profile=builtin", "name=cgroupns"],
  MemoryLimit: true,
  SwapLimit: true,
  PidsLimit: true,
  CpuCfsQuota: true,
};
const facts = (otherInfo: object = {}, otherVersion: object = {}) =>
  engineFacts({ ...version, ...otherVersion }, { ...info, ...otherInfo });

describe("engine", () => {
  it("names the engine and its parts", () => {
    expect(decideEngine(facts(), "/run/docker.sock")).toEqual({
      check: "engine",
      status: "ok",
      what: "Docker Engine 26.1.5+dfsg1, containerd 1.7.24~ds1, runc 1.1.15+ds1; overlay2, cgroup driver systemd",
    });
  });

  it.each([
    ["one that is silent", { silent: "connect ENOENT" }, /no answer at \/s: connect ENOENT/],
    ["an old one", facts({}, { Version: "24.0.9" }), /24\.0\.9, older than 25/],
    ["one without a version", facts({}, { Version: "dev" }), /older than 25/],
    ["a rootless one", facts({ SecurityOptions: ["name=seccomp", "name=rootless"] }), /rootless/],
    ["userns-remap", facts({ SecurityOptions: ["name=userns"] }), /userns-remap/],
    ["a snap", facts({ DockerRootDir: "/var/snap/docker/common/var-lib-docker" }), /snap/],
    ["Docker Desktop", facts({ OperatingSystem: "Docker Desktop" }), /Docker Desktop/],
    ["Podman", facts({}, { Components: [{ Name: "Podman Engine", Version: "5.4.2" }] }), /Podman/],
  ])("fails on %s", (_what, engine, what) => {
    const finding = decideEngine(engine, "/s");
    expect(finding).toMatchObject({ check: "engine", status: "failure" });
    expect(finding.what).toMatch(what);
    expect(finding.why).toBeTruthy();
    expect(finding.fix).toBeTruthy();
  });
});

describe("engine drivers", () => {
  it.each([
    [[], {}],
    [[], { Driver: "overlayfs" }],
    [["warning"], { Driver: "vfs" }],
    [["warning"], { Driver: "btrfs" }],
    [["warning"], { CgroupDriver: "cgroupfs" }],
    [["failure"], { CgroupDriver: "none" }],
    [["failure"], { MemoryLimit: false }],
    [["warning", "failure"], { Driver: "vfs", PidsLimit: false }],
  ])("%j with %j", (statuses, given) => {
    const found = decideDrivers(facts(given)).map(({ status }) => status);
    expect(found).toEqual(statuses.length > 0 ? statuses : ["ok"]);
  });
});

describe("swap", () => {
  it.each([
    ["ok", true, true],
    ["ok", false, false],
    ["warning", false, true],
  ])("%s when counted is %s and there is %s", (status, isCounted, isThere) => {
    expect(decideSwap(isCounted, isThere)).toMatchObject({ check: "swap", status });
  });
});

describe("askEngine", () => {
  it.each([
    ["tells what an engine says", JSON.stringify(version), JSON.stringify(info), true],
    ["takes what is no engine for silent", "<html></html>", "<html></html>", false],
    ["takes strange answers for silent", JSON.stringify({ Version: 7 }), "{}", false],
  ])("%s", async (_what, versionText, infoText, isEngine) => {
    const dir = await mkdtemp(join(tmpdir(), "berth-doctor-"));
    const server = createServer((request, response) => {
      response.setHeader("content-type", "application/json");
      response.end(request.url?.endsWith("/info") ? infoText : versionText);
    });
    await new Promise<void>((resolve) => server.listen(join(dir, "s"), resolve));
    try {
      expect(answers(await askEngine(join(dir, "s")))).toBe(isEngine);
    } finally {
      server.closeAllConnections();
      server.close();
      await rm(dir, { recursive: true });
    }
  });

  it("says why where nobody is", async () => {
    expect(await askEngine("/nowhere/docker.sock")).toEqual({
      silent: expect.stringContaining("ENOENT") as string,
    });
  });
});
