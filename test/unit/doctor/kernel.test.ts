import { describe, expect, it } from "vitest";
import {
  decideIdmappedMounts,
  decideLoopDevices,
  decideOverlay,
  decideSeccomp,
  decideUserNamespaces,
  lookAtDevices,
} from "../../../src/doctor/kernel.js";
import { decideErofs } from "../../../src/doctor/preloads.js";
import { done, failed, fakeMachine, notInstalled } from "./fake-machine.js";

describe("user namespaces", () => {
  it.each([
    ["failure", "a kernel without", undefined, 1, "CONFIG_USER_NS"],
    ["failure", "a host that allows none", 0, 1, "user.max_user_namespaces = 65536"],
    ["warning", "a host that allows few", 511, 1, "user.max_user_namespaces = 65536"],
    ["ok", "a host that allows enough", 512, 1, undefined],
    ["ok", "one where only root may", 31_000, 0, undefined],
  ])("%s on %s", (status, _what, most, clone, fix) => {
    const finding = decideUserNamespaces(most, clone);
    expect(finding).toMatchObject({ check: "user namespaces", status });
    if (fix === undefined) expect(finding.fix).toBeUndefined();
    else expect(finding.fix).toContain(fix);
  });
});

describe("overlayfs", () => {
  it.each([
    ["ok", done()],
    ["failure", failed("mount: merged: permission denied.")],
    ["failure", { ok: false, reason: { kind: "too slow", text: "no end after 10 s" } } as const],
    ["warning", notInstalled],
  ])("%s when the try comes to %j", (status, tried) => {
    expect(decideOverlay(tried)).toMatchObject({ check: "overlayfs", status });
  });

  it("tells what the kernel said", () => {
    const { what, fix } = decideOverlay(failed("mount: wrong fs type"));
    expect(what).toContain("mount: wrong fs type");
    expect(fix).toMatch(/profile of AppArmor .* for unshare/);
  });
});

describe("idmapped mounts", () => {
  it.each([
    ["ok", "6.12.118+deb13-amd64"],
    ["ok", "5.19.0"],
    ["ok", "7.2-rc1"],
    ["warning", "5.15.0-101-generic"],
    ["warning", "4.18.0-553.el8.x86_64"],
    ["warning", ""],
  ])("%s with Linux %j", (status, release) => {
    expect(decideIdmappedMounts(release)).toMatchObject({ check: "idmapped mounts", status });
  });
});

describe("seccomp", () => {
  const all = "kill_process kill_thread trap errno user_notif trace log allow";
  it.each([
    ["ok", all, "x64"],
    ["ok", all, "arm64"],
    ["failure", all, "riscv64"],
    ["failure", "kill_process allow", "x64"],
    ["failure", undefined, "x64"],
  ])("%s with %j on %s", (status, actions, architecture) => {
    expect(decideSeccomp(actions, architecture)).toMatchObject({ check: "seccomp", status });
  });
});

describe("devices of sandboxes", () => {
  const misc = "234 btrfs-control\n200 tun\n229 fuse\n";
  it.each([
    ["there", fakeMachine({ "/proc/misc": misc }), "ok", "ok"],
    ["a module", fakeMachine({}, { modprobe: done() }), "ok", "ok"],
    ["one of them missing", fakeMachine({ "/proc/misc": "229 fuse\n" }), "ok", "warning"],
    [
      "a name that only looks like it",
      fakeMachine({ "/proc/misc": "9 fuse2\n" }),
      "warning",
      "warning",
    ],
  ])("%s", async (_what, machine, fuse, tun) => {
    expect(await lookAtDevices(machine)).toMatchObject([
      { check: "fuse", status: fuse },
      { check: "tun", status: tun },
    ]);
  });
});

describe("loop devices", () => {
  it.each([
    ["ok", done("/dev/loop7\n"), true, undefined],
    ["failure", done("/dev/loop1024\n"), false, "mknod -m 600 /dev/loop1024 b 7 1024"],
    ["failure", done("/dev/loop3 (lost)\n"), false, "mknod -m 600 /dev/loop3 b 7 3"],
    ["failure", failed("losetup: cannot find an unused loop device"), false, "modprobe loop"],
    ["failure", notInstalled, false, "apt-get install mount"],
  ])("%s when losetup comes to %j", (status, found, isThere, fix) => {
    const finding = decideLoopDevices(found, isThere);
    expect(finding).toMatchObject({ check: "loop devices", status });
    if (fix !== undefined) expect(finding.fix).toContain(fix);
  });
});

describe("erofs", () => {
  it.each([
    ["ok", "there"],
    ["ok", "a module"],
    ["warning", "missing"],
  ] as const)("%s when it is %s", (status, state) => {
    expect(decideErofs(state)).toMatchObject({ check: "erofs", status });
  });
});
