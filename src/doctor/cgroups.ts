import type { Finding } from "../cli/local.js";
import { locateCgroup, parseCgroupMounts, type CgroupMount } from "../lib/cgroup-mounts.js";
import { failure, inOrder, warning } from "./findings.js";
import type { Machine } from "./machine.js";

/** Those of a sandbox's limits; without one of them that limit could not hold. */
const neededControllers = ["memory", "cpu", "pids"] as const;

export interface CgroupFacts {
  mounts: CgroupMount[];
  /** What a version 2 hierarchy has for those who want it (cgroup.controllers at its root). */
  unified: string[];
}

export async function readCgroups(machine: Machine): Promise<CgroupFacts> {
  const mounts = parseCgroupMounts((await machine.read("/proc/self/mountinfo")) ?? "");
  const unified = mounts.findLast(({ version }) => version === 2);
  const controllers = unified && (await machine.read(`${unified.mountPoint}/cgroup.controllers`));
  return { mounts, unified: words(controllers) };
}

const words = (text: string | undefined): string[] => (text ?? "").split(/\s+/).filter(Boolean);

/** The version that most limits are held by. */
export const cgroupVersion = ({ unified }: CgroupFacts): 1 | 2 =>
  neededControllers.every((controller) => unified.includes(controller)) ? 2 : 1;

export async function lookAtCgroups(machine: Machine): Promise<Finding[]> {
  const facts = await readCgroups(machine);
  return [decideControllers(facts), await lookAtDelegation(machine, facts)];
}

export function decideControllers({ mounts, unified }: CgroupFacts): Finding {
  const check = "cgroups";
  const hasV1 = (controller: string) =>
    mounts.some(({ controllers }) => controllers.includes(controller));
  const missing = neededControllers.filter(
    (controller) => !hasV1(controller) && !unified.includes(controller),
  );
  if (missing.length > 0) {
    return failure(check, {
      what: `no controller for ${missing.join(", ")}`,
      why: "limits of memory, processor time and processes are the kernel's cgroups: one that cannot hold fails each creation",
      fix: "boot with systemd.unified_cgroup_hierarchy=1 and without cgroup_disable=… (/etc/default/grub, update-grub)",
    });
  }
  const byV1 = neededControllers.filter(hasV1);
  const version =
    byV1.length === 0 ? "version 2" : byV1.length === 3 ? "version 1" : "versions 1 and 2";
  // For the slices' shares of the disk; without it they have none, and no limit is missing.
  if (byV1.length === 0 && !unified.includes("io")) {
    return warning(check, {
      what: `${version}, without the controller io`,
      why: "sandboxes that write much slow down the host's own services, which should go first",
      fix: "boot a kernel with CONFIG_BLK_CGROUP, such as Debian's",
    });
  }
  return inOrder(check, `${version} (${neededControllers.join(", ")})`);
}

async function lookAtDelegation(machine: Machine, { mounts }: CgroupFacts): Promise<Finding> {
  const slices = neededControllers.map((controller) =>
    locateCgroup(mounts, controller, "/berth.slice"),
  );
  const unified = slices.find((directory) => directory?.version === 2);
  if (!unified) return decideDelegation({ users: 0, enabled: [] });
  const [names, enabled] = await Promise.all([
    machine.list(unified.path),
    machine.read(`${unified.path}/cgroup.subtree_control`),
  ]);
  const users = names.filter((name) => /^berth-.*\.slice$/.test(name)).length;
  return decideDelegation({ users, enabled: words(enabled) });
}

/**
 * Version 2 alone: a slice's limits are files that are there only while the slice above has the controller
 * in its cgroup.subtree_control. systemd sees to that; whoever writes there by hand may undo it.
 */
export function decideDelegation(facts: { users: number; enabled: string[] }): Finding {
  const check = "delegation";
  const missing = neededControllers.filter((controller) => !facts.enabled.includes(controller));
  if (facts.users === 0) return inOrder(check, "nothing to see yet: no slice of a user is there");
  if (missing.length === 0) {
    return inOrder(
      check,
      `berth.slice hands ${neededControllers.join(", ")} down to users' slices`,
    );
  }
  return failure(check, {
    what: `berth.slice does not hand ${missing.join(", ")} down to the slices of its users`,
    why: "their limits are not in force, and new sandboxes fail with SLICE_LIMITS_NOT_APPLIED",
    fix: "systemctl show -p DisableControllers berth.slice; systemctl daemon-reload; systemctl restart berth",
  });
}
