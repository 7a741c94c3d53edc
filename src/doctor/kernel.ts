import type { Finding } from "../cli/local.js";
import { failure, inOrder, sysctlFix, warning } from "./findings.js";
import { readNumber, type Machine, type Outcome } from "./machine.js";

// What of the kernel the entrypoint of a sandbox asks for (images/dind/userns.sh and world.sh).

/** Namespaces that a sandbox with a few dozen containers has at a time. */
export const namespacesPerSandbox = 512;

export async function lookAtUserNamespaces(machine: Machine): Promise<Finding> {
  return decideUserNamespaces(
    await readNumber(machine, "/proc/sys/user/max_user_namespaces"),
    (await readNumber(machine, "/proc/sys/kernel/unprivileged_userns_clone")) ?? 1,
  );
}

/**
 * @param most how many user namespaces a user may have; undefined when the kernel knows none
 * @param cloneAllowed Debian's own switch. With 0 only the host's root may make them, and Berth is that.
 */
export function decideUserNamespaces(most: number | undefined, cloneAllowed: number): Finding {
  const check = "user namespaces";
  const why =
    "a sandbox's Docker Engine is root of a user namespace, not of the host; without one no sandbox starts";
  if (most === undefined) {
    return failure(check, {
      what: "the kernel has none",
      why,
      fix: "boot a kernel with CONFIG_USER_NS, such as Debian's: apt-get install linux-image-amd64",
    });
  }
  const fix = sysctlFix({ "user.max_user_namespaces": 65_536 });
  if (most === 0)
    return failure(check, {
      what: "the host allows none: user.max_user_namespaces is 0",
      why,
      fix,
    });
  if (most < namespacesPerSandbox) {
    return warning(check, {
      what: `user.max_user_namespaces is ${most}; ${namespacesPerSandbox} are wanted`,
      why: "it bounds each sandbox, containers inside included: beyond it they fail to start",
      fix,
    });
  }
  const own = cloneAllowed === 0 ? "; only the host's root may make them, which Berth is" : "";
  return inOrder(check, `up to ${most} a sandbox${own}`);
}

/** In namespaces of its own, of which the kernel leaves nothing when the shell ends. */
const overlayTry = `
  mount -t tmpfs doctor /mnt
  cd /mnt
  mkdir lower upper work merged
  echo below >lower/file
  mount -t overlay -o userxattr,lowerdir=lower,upperdir=upper,workdir=work overlay merged
  echo above >merged/new
  rm merged/file
  [ ! -e merged/file ]
  [ -c upper/file ]`;

/** Mounts an overlay as root of a user namespace, writes and deletes in it, as a sandbox's engine does. */
export async function lookAtOverlay(machine: Machine): Promise<Finding> {
  const namespaces = ["--user", "--map-root-user", "--mount", "--propagation", "private"];
  return decideOverlay(await machine.run("unshare", [...namespaces, "sh", "-euc", overlayTry]));
}

export function decideOverlay(tried: Outcome): Finding {
  const check = "overlayfs";
  if (tried.ok) return inOrder(check, "mounted, written and deleted in, in a user namespace");
  const why =
    "a sandbox's Docker Engine keeps the files of its containers on it, mounted in a user namespace";
  if (tried.reason.kind === "not installed") {
    const what = "could not be tried: unshare is not installed";
    return warning(check, { what, why, fix: "apt-get install util-linux" });
  }
  return failure(check, {
    what: `a user namespace cannot use it: ${tried.reason.text}`,
    why,
    // The try is made with unshare, as sandboxes are.
    fix: "modprobe overlay; where it is there, boot Linux 5.11 or newer: older ones let only real root mount it; where a profile of AppArmor is in force for unshare, as on Ubuntu since 25.04, see apparmor",
  });
}

/** `6.12.118+deb13-amd64` to numbers; undefined for what is none. */
export function parseRelease(release: string): [major: number, minor: number] | undefined {
  const match = /^(\d+)\.(\d+)/.exec(release);
  return match ? [Number(match[1]), Number(match[2])] : undefined;
}

export async function lookAtIdmappedMounts(machine: Machine): Promise<Finding> {
  return decideIdmappedMounts((await machine.read("/proc/sys/kernel/osrelease")) ?? "");
}

/**
 * By the version alone: the store of a preload is EROFS, whose mounts can be idmapped since Linux 5.19, and
 * the program that does it is the image's own, not this host's.
 */
export function decideIdmappedMounts(release: string): Finding {
  const check = "idmapped mounts";
  const [major = 0, minor = 0] = parseRelease(release) ?? [];
  if (major > 5 || (major === 5 && minor >= 19)) return inOrder(check, `Linux ${release} has them`);
  return warning(check, {
    what: `Linux ${release} has none for EROFS, by its version (they came with 5.19)`,
    why: "preloaded images are shown to each sandbox under its own uids; profiles with images need it, others do not",
    fix: "boot Linux 5.19 or newer; Debian 12 and later have it",
  });
}

/** Those that the filter of src/isolation/seccomp.ts uses. */
const seccompActions = ["allow", "errno"];
/** Those whose system calls it knows, by Node's names. */
const architectures = ["x64", "arm64"];

export async function lookAtSeccomp(machine: Machine): Promise<Finding> {
  return decideSeccomp(await machine.read("/proc/sys/kernel/seccomp/actions_avail"), process.arch);
}

export function decideSeccomp(actions: string | undefined, architecture: string): Finding {
  const check = "seccomp";
  const why =
    "a filter of system calls lies over each sandbox, and none starts without it: it keeps users from the parts of the kernel that no container needs";
  const known = actions?.split(/\s+/) ?? [];
  const missing = seccompActions.filter((action) => !known.includes(action));
  if (missing.length > 0) {
    return failure(check, {
      what:
        actions === undefined
          ? "the kernel has no filters of system calls"
          : `the kernel's filters lack ${missing.join(", ")}`,
      why,
      fix: "boot a kernel with CONFIG_SECCOMP_FILTER, such as Debian's",
    });
  }
  if (!architectures.includes(architecture)) {
    return failure(check, {
      what: `Berth's filter does not know the system calls of ${architecture}`,
      why: "in a sandbox every system call would be refused",
      fix: "run Berth on x86-64 or arm64",
    });
  }
  return inOrder(check, "the kernel filters system calls");
}

/** Devices that sandboxes get nodes of; the kernel must know what is behind them. */
export const sandboxDevices = [
  { name: "fuse", users: "programs that mount by FUSE, such as sshfs and rclone" },
  { name: "tun", users: "VPNs and other programs with network devices of their own" },
] as const;

export async function lookAtDevices(machine: Machine): Promise<Finding[]> {
  const misc = (await machine.read("/proc/misc")) ?? "";
  return Promise.all(
    sandboxDevices.map(async (device) => {
      const isThere = new RegExp(`^\\s*\\d+ ${device.name}$`, "m").test(misc);
      return decideDevice(device, isThere || (await canBeLoaded(machine, device.name)));
    }),
  );
}

export function decideDevice(
  { name, users }: { name: string; users: string },
  isKnown: boolean,
): Finding {
  if (isKnown) return inOrder(name, "the kernel has it, or loads it when it is opened");
  return warning(name, {
    what: `the kernel has no ${name}`,
    why: `${users} fail in sandboxes; all else works`,
    fix: `modprobe ${name}; where that fails, boot a kernel that has it, such as Debian's`,
  });
}

/** Whether the kernel would find a module when it is first used. */
export async function canBeLoaded(machine: Machine, module: string): Promise<boolean> {
  return (await machine.run("modprobe", ["--dry-run", "--quiet", module])).ok;
}

/** Asks the kernel for a free loop device, and whether there is a node to open it by. */
export async function lookAtLoopDevices(machine: Machine): Promise<Finding> {
  const found = await machine.run("losetup", ["--find"]);
  const node = found.ok ? nodeIn(found.stdout) : "";
  return decideLoopDevices(found, node !== "" && (await machine.exists(node)));
}

/** losetup of util-linux 2.39 and newer writes "/dev/loop0 (lost)" when there is no such node. */
const nodeIn = (stdout: string): string => stdout.trim().replace(/ \(lost\)$/, "");

export function decideLoopDevices(found: Outcome, nodeIsThere: boolean): Finding {
  const check = "loop devices";
  const why =
    "each sandbox has a disk of its own, a file mounted by a loop device; without, none starts";
  if (!found.ok) {
    const isMissing = found.reason.kind === "not installed";
    return failure(check, {
      what: isMissing ? "losetup is not installed" : `none can be had: ${found.reason.text}`,
      why,
      fix: isMissing ? "apt-get install mount" : "modprobe loop",
    });
  }
  const node = nodeIn(found.stdout);
  if (nodeIsThere) return inOrder(check, `${node} is free`);
  return failure(check, {
    what: `the next free one is ${node}, which has no node in /dev`,
    why,
    fix: `mknod -m 600 ${node} b 7 ${/\d+$/.exec(node)?.[0] ?? "0"}; on a host with udev: systemctl restart systemd-udevd`,
  });
}
