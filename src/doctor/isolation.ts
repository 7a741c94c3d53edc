import { readFile } from "node:fs/promises";
import type { Finding } from "../cli/local.js";
import { ignoring } from "../lib/errors.js";
import { hasSysResource } from "../lib/host-facts.js";
import { uidsPerSandbox } from "../lib/model.js";

/** What the isolation `userns` needs of this host. */
export function examineIsolation(uids: { from: number; to: number }): Promise<Finding[]> {
  return Promise.all([checkUserNamespaces(), checkSubordinateUids(uids), checkSysResource()]);
}

async function checkUserNamespaces(): Promise<Finding> {
  const check = "user namespaces";
  const text = await ignoring(readFile("/proc/sys/user/max_user_namespaces", "utf8"), "ENOENT");
  const most = Number(text ?? 0);
  if (most > 0) return { check, status: "ok", what: `up to ${most}` };
  return {
    check,
    status: "failure",
    what:
      text === undefined
        ? "the kernel has none: no sandbox can be held"
        : "the host allows none (user.max_user_namespaces is 0): no sandbox can be held",
    fix:
      text === undefined
        ? "boot a kernel with CONFIG_USER_NS, such as Debian's"
        : "sysctl -w user.max_user_namespaces=15000, and the same in /etc/sysctl.d",
  };
}

/** Lines of `name:first:count` (subuid(5)); whoever has them there may make processes with these uids. */
async function checkSubordinateUids({ from, to }: { from: number; to: number }): Promise<Finding> {
  const check = "uids";
  for (const file of ["/etc/subuid", "/etc/subgid"]) {
    const text = (await ignoring(readFile(file, "utf8"), "ENOENT")) ?? "";
    for (const [, owner, first, count] of text.matchAll(/^([^:#\n]+):(\d+):(\d+)$/gm)) {
      const [start, end] = [Number(first), Number(first) + Number(count) - 1];
      if (start > to || end < from) continue;
      return {
        check,
        status: "failure",
        what: `${file} gives ${owner ?? "somebody"} uids of the sandboxes' range ${from}-${to}`,
        fix: "choose another range as subordinateUids in the configuration, for new sandboxes",
      };
    }
  }
  const sandboxes = Math.floor((to - from + 1) / uidsPerSandbox);
  return { check, status: "ok", what: `${from}-${to}, for ${sandboxes} sandboxes` };
}

async function checkSysResource(): Promise<Finding> {
  const check = "CAP_SYS_RESOURCE";
  if (await hasSysResource()) return { check, status: "ok", what: "root has it" };
  return {
    check,
    status: "warning",
    what: "root lacks it, as in a container: disks cannot grow while mounted, and processes in sandboxes may lower their OOM score to 0",
    fix: "run Berth on a host of its own",
  };
}
