import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { delimiter, join } from "node:path";
import type { Finding } from "../cli/local.js";
import { hostPath } from "../lib/exec.js";
import { failure, inOrder, warning } from "./findings.js";

export const programs = [
  {
    name: "nft",
    does: "forwards ports to sandboxes and keeps them from the host",
    package: "nftables",
    isNeeded: true,
    without: "no sandbox starts",
  },
  {
    name: "mkfs.ext4",
    does: "formats disks",
    package: "e2fsprogs",
    isNeeded: true,
    without: "no sandbox gets a disk, and none starts",
  },
  {
    name: "resize2fs",
    does: "enlarges disks",
    package: "e2fsprogs",
    isNeeded: false,
    without: "berth resize --disk fails",
  },
  {
    name: "iptables",
    does: "lets forwarded ports through the engine's own firewall",
    package: "iptables",
    isNeeded: true,
    without: "sandboxes cannot be reached from other machines",
  },
  {
    name: "mmdebstrap",
    does: "builds the dind image",
    package: "mmdebstrap",
    isNeeded: false,
    without: "berth image build fails, unless image.base is set",
  },
] as const;

/** @param searchPath as in PATH; the daemon's, unless a test says otherwise */
export async function lookAtProgram(
  program: (typeof programs)[number],
  searchPath = hostPath,
): Promise<Finding> {
  for (const folder of searchPath.split(delimiter)) {
    const file = join(folder, program.name);
    if (await isProgram(file)) return inOrder(program.name, `${file} ${program.does}`);
  }
  const fault = {
    what: `${program.name}, which ${program.does}, is not installed`,
    why: `${program.without} without it`,
    fix: `apt-get install ${program.package}`,
  };
  return program.isNeeded ? failure(program.name, fault) : warning(program.name, fault);
}

async function isProgram(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}
