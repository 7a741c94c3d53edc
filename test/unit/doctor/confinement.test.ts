import { describe, expect, it } from "vitest";
import {
  decideAppArmor,
  decideNestedNamespaces,
  decideSelinux,
  lookAtNestedNamespaces,
} from "../../../src/doctor/confinement.js";
import { fakeMachine } from "./fake-machine.js";

describe("nested user namespaces", () => {
  it.each([
    [false, false, []],
    [true, false, ["kernel.apparmor_restrict_unprivileged_userns = 0"]],
    [false, true, ["kernel.unprivileged_userns_clone = 1"]],
  ])("with AppArmor's restriction %s and Debian's %s", (apparmorRestricts, cloneIsOff, fixes) => {
    const found = decideNestedNamespaces({ apparmorRestricts, cloneIsOff });
    const faults = found.filter(({ status }) => status === "warning");
    expect(faults.map(({ fix }) => fix)).toEqual(
      fixes.map((fix) => expect.stringContaining(fix) as string),
    );
    expect(found.every(({ status }) => status !== "failure")).toBe(true);
  });

  it("says that sandboxes work all the same", () => {
    const [finding] = decideNestedNamespaces({ apparmorRestricts: true, cloneIsOff: false });
    expect(finding?.why).toMatch(/^sandboxes start and work; .*without being root there/);
  });

  it.each([
    ["Ubuntu 24.04", { "/proc/sys/kernel/apparmor_restrict_unprivileged_userns": "1" }, "warning"],
    [
      "Ubuntu, switched off",
      { "/proc/sys/kernel/apparmor_restrict_unprivileged_userns": "0" },
      "ok",
    ],
    ["an old Debian", { "/proc/sys/kernel/unprivileged_userns_clone": "0" }, "warning"],
    ["Debian 13", { "/proc/sys/kernel/unprivileged_userns_clone": "1" }, "ok"],
    ["a kernel that knows neither", {}, "ok"],
  ])("on %s", async (_host, files: Record<string, string>, status) => {
    expect(await lookAtNestedNamespaces(fakeMachine(files))).toMatchObject([{ status }]);
  });
});

describe("apparmor", () => {
  it.each([
    ["ok", false, "unshare (enforce)\n"],
    ["ok", true, "docker-default (enforce)\nrunc (unconfined)\n"],
    ["ok", true, "unshare (unconfined)\n"],
    ["ok", true, "unshare (complain)\nunpriv_unshare (enforce)\n"],
    ["warning", true, "bwrap (enforce)\nunshare (enforce)\nunpriv_unshare (enforce)\n"],
  ])("%s when enabled is %s, with %j", (status, isEnabled, profiles) => {
    expect(decideAppArmor(isEnabled, profiles)).toMatchObject({ check: "apparmor", status });
  });
});

describe("selinux", () => {
  it.each([
    ["ok", undefined],
    ["ok", "0"],
    ["warning", "1"],
  ])("%s when it says %j", (status, enforce) => {
    expect(decideSelinux(enforce)).toMatchObject({ check: "selinux", status });
  });
});
