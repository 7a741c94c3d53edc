import type { Finding } from "../cli/local.js";
import { hasSysResource } from "../lib/host-facts.js";
import { uidsPerSandbox } from "../lib/model.js";
import { failure, inOrder, warning } from "./findings.js";
import type { Machine } from "./machine.js";

/** A range of uids or gids, both ends included, and who has it. */
interface Grant {
  file: string;
  owner: string;
  from: number;
  to: number;
}

const files = ["/etc/subuid", "/etc/subgid"];

export async function lookAtUids(
  machine: Machine,
  range: { from: number; to: number },
): Promise<Finding> {
  const texts = await Promise.all(
    files.map(async (file) => parseGrants(file, (await machine.read(file)) ?? "")),
  );
  return decideUids(range, texts.flat());
}

/** Lines of `name:first:count` (subuid(5)); whoever has them there may make processes with these uids. */
export function parseGrants(file: string, text: string): Grant[] {
  return [...text.matchAll(/^([^:#\n]+):(\d+):(\d+)$/gm)].map(([, owner, first, count]) => ({
    file,
    owner: owner ?? "",
    from: Number(first),
    to: Number(first) + Number(count) - 1,
  }));
}

export function decideUids({ from, to }: { from: number; to: number }, grants: Grant[]): Finding {
  const check = "uids";
  const other = grants.find((grant) => grant.from <= to && from <= grant.to);
  if (other) {
    return failure(check, {
      what: `${other.file} gives ${other.owner} ids of the sandboxes' range ${from}-${to}`,
      why: "each sandbox has uids of its own: who else has them can signal its processes, and read and write its files",
      fix: `usermod --del-${other.file.endsWith("uid") ? "subuids" : "subgids"} ${other.from}-${other.to} ${other.owner}, or another range as subordinateUids in the configuration (for new sandboxes)`,
    });
  }
  const sandboxes = Math.floor((to - from + 1) / uidsPerSandbox);
  return inOrder(check, `${from}-${to}, for ${sandboxes} sandboxes`);
}

/** @param uid of this process */
export function decideRoot(uid: number | undefined): Finding {
  const check = "root";
  if (uid === 0) return inOrder(check, "looks with the eyes of root");
  return failure(check, {
    what: `this is not root, but uid ${uid ?? "?"}`,
    why: "what only root may see and try cannot be told; findings below may be wrong for that reason",
    fix: "sudo berth doctor",
  });
}

export async function lookAtSysResource(): Promise<Finding> {
  const check = "CAP_SYS_RESOURCE";
  if (await hasSysResource()) return inOrder(check, "root has it");
  return warning(check, {
    what: "root lacks it, as in a container",
    why: "disks cannot grow while mounted (berth resize --disk), and processes in sandboxes may lower their OOM score to 0",
    fix: "run Berth on a host of its own",
  });
}
