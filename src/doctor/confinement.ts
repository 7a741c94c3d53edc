import type { Finding } from "../cli/local.js";
import { faultsOr, inOrder, sysctlFix, warning } from "./findings.js";
import { readNumber, type Machine } from "./machine.js";

// Security modules of the host, and what they make of user namespaces. Berth itself makes a sandbox's
// namespace with CAP_SYS_ADMIN, so restrictions on "unprivileged" ones do not meet it; users' programs they do.

export interface NamespaceRules {
  /** kernel.apparmor_restrict_unprivileged_userns: 1 on Ubuntu since 24.04. */
  apparmorRestricts: boolean;
  /** kernel.unprivileged_userns_clone is 0: Debian's switch, off before Debian 11. */
  cloneIsOff: boolean;
}

export async function lookAtNestedNamespaces(machine: Machine): Promise<Finding[]> {
  const [restricted, clone] = await Promise.all([
    readNumber(machine, "/proc/sys/kernel/apparmor_restrict_unprivileged_userns"),
    readNumber(machine, "/proc/sys/kernel/unprivileged_userns_clone"),
  ]);
  return decideNestedNamespaces({ apparmorRestricts: restricted === 1, cloneIsOff: clone === 0 });
}

/**
 * AppArmor asks whether who makes a namespace is unconfined, as all in a sandbox is, and lacks CAP_SYS_ADMIN
 * in the namespace they are in (security/apparmor/task.c): root of a sandbox has it, others there do not.
 * Debian's switch asks for CAP_SYS_ADMIN of the host, which nobody in a sandbox has.
 */
export function decideNestedNamespaces(rules: NamespaceRules): Finding[] {
  const check = "nested user namespaces";
  const faults: Finding[] = [];
  if (rules.apparmorRestricts) {
    faults.push(
      warning(check, {
        what: "AppArmor keeps them from programs that are not root, as on Ubuntu since 24.04",
        why: "sandboxes start and work; in them, what makes user namespaces without being root there (Chromium's sandbox, rootless Podman) fails",
        fix: sysctlFix({ "kernel.apparmor_restrict_unprivileged_userns": 0 }),
      }),
    );
  }
  if (rules.cloneIsOff) {
    faults.push(
      warning(check, {
        what: "kernel.unprivileged_userns_clone is 0: only the host's root may make user namespaces",
        why: "sandboxes start and work; in them nobody can make user namespaces, so rootless engines and browsers' sandboxes fail there",
        fix: sysctlFix({ "kernel.unprivileged_userns_clone": 1 }),
      }),
    );
  }
  return faultsOr(faults, inOrder(check, "programs in sandboxes may make them"));
}

export async function lookAtAppArmor(machine: Machine): Promise<Finding> {
  const [enabled, profiles] = await Promise.all([
    machine.read("/sys/module/apparmor/parameters/enabled"),
    machine.read("/sys/kernel/security/apparmor/profiles"),
  ]);
  return decideAppArmor(enabled === "Y", profiles ?? "");
}

/**
 * A profile belongs to a program by its path, in a container too unless that has a profile of its own;
 * sandboxes' containers are privileged and have none.
 * @param profiles lines of `name (mode)`
 */
export function decideAppArmor(isEnabled: boolean, profiles: string): Finding {
  const check = "apparmor";
  if (!isEnabled) return inOrder(check, "is not in use");
  if (/^unshare \((?:enforce|kill)\)$/m.test(profiles)) {
    return warning(check, {
      what: "a profile for unshare is in force, as Ubuntu has it since 25.04 (unshare-userns-restrict)",
      why: "sandboxes are made with unshare, and what it starts may not mount under this profile: they are likely not to start",
      fix:
        "ln -s /etc/apparmor.d/unshare-userns-restrict /etc/apparmor.d/disable/\n" +
        "apparmor_parser -R /etc/apparmor.d/unshare-userns-restrict",
    });
  }
  return inOrder(check, "in use; no profile of it is in a sandbox's way");
}

export async function lookAtSelinux(machine: Machine): Promise<Finding> {
  return decideSelinux(await machine.read("/sys/fs/selinux/enforce"));
}

/** @param enforce what selinuxfs says; undefined when SELinux is not in use */
export function decideSelinux(enforce: string | undefined): Finding {
  const check = "selinux";
  if (enforce === undefined) return inOrder(check, "is not in use");
  if (enforce !== "1") return inOrder(check, "permissive: it refuses nothing");
  return warning(check, {
    what: "SELinux is enforcing",
    why: "Berth was never tried with it: containers of sandboxes are privileged and run unlabelled, but mounts below dataDir and runDir may be refused",
    fix: "make a sandbox and look for refusals: ausearch -m avc -ts recent",
  });
}
