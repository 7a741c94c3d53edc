import type { Finding } from "../cli/local.js";
import { BerthError, messageOf } from "../lib/errors.js";
import { formatSize } from "../lib/units.js";
import { DbusSystemd, type SliceFacts } from "../slice/systemd.js";
import { failure, inOrder, warning } from "./findings.js";
import type { Machine } from "./machine.js";

/** Well above what a busy systemd takes. */
const callTimeoutMs = 10_000;

/** @param address D-Bus address of systemd's bus */
export async function lookAtSystemd(address: string): Promise<Finding> {
  const check = "systemd";
  try {
    await activeUnits(address, ceiling);
    return inOrder(check, `answers at ${address}`);
  } catch (error) {
    return failure(check, {
      what: messageOf(error),
      why: "users' limits sit on slices that systemd makes: without it no sandbox can be made",
      fix: "systemctl status dbus.socket; on a machine without systemd: scripts/host up",
    });
  }
}

/** Names of active units that match a shell pattern. @throws BerthError SYSTEMD_UNREACHABLE */
export async function activeUnits(address: string, pattern: string): Promise<string[]> {
  const units = await asking(address, (systemd) => systemd.listActive(pattern));
  return units.map(({ name }) => name);
}

async function asking<T>(address: string, ask: (systemd: DbusSystemd) => Promise<T>): Promise<T> {
  const systemd = new DbusSystemd({ address, callTimeoutMs });
  try {
    return await ask(systemd);
  } finally {
    systemd.close();
  }
}

const ceiling = "berth.slice";

/** Silence of systemd is told by its own check. */
export async function lookAtCeiling(machine: Machine, address: string): Promise<Finding[]> {
  try {
    const facts = await asking(address, (systemd) => systemd.sliceFacts(ceiling));
    return [decideCeiling({ ...facts, fileIsThere: await machine.exists(facts.file) })];
  } catch (error) {
    if (error instanceof BerthError && error.code === "SYSTEMD_UNREACHABLE") return [];
    throw error;
  }
}

/**
 * Without its unit file systemd makes the slice by itself, with no limit, and says nothing. One that was loaded
 * stays as it is until the next reload or boot, whatever becomes of the file.
 */
export function decideCeiling(facts: SliceFacts & { fileIsThere: boolean }): Finding {
  const check = "berth.slice";
  const { loadState, file, fileIsThere, isStale, memoryMaxBytes } = facts;
  const why =
    "nothing bounds all users together: what they promise each other may be more than there is, and then the host suffers";
  const install = "cp /opt/berth/slices/berth.slice /etc/systemd/system/; systemctl daemon-reload";
  if (loadState !== "loaded") {
    return warning(check, {
      what: `systemd does not use the unit berth.slice: ${loadState}`,
      why,
      fix: `systemctl unmask berth.slice; ${install}`,
    });
  }
  if (file !== "" && !fileIsThere) {
    return warning(check, {
      what: `systemd still has the unit berth.slice from ${file}, which is not there any more`,
      why: `after the next reload or boot ${why}`,
      fix: install,
    });
  }
  if (memoryMaxBytes === undefined) {
    return warning(check, {
      what: file === "" ? "the unit berth.slice is not installed" : `${file} bounds no memory`,
      why,
      fix:
        file === ""
          ? install
          : "systemctl cat berth.slice # which of these files sets MemoryMax to infinity, or to nothing",
    });
  }
  if (isStale) {
    return warning(check, {
      what: "files of the unit berth.slice are others than those that systemd has loaded",
      why: "what they say holds for nobody yet, and from the next reload or boot on for all users together",
      fix: "systemctl daemon-reload",
    });
  }
  const most = formatSize(memoryMaxBytes);
  return inOrder(check, `bounds all users together, to ${most} of memory (${file || "drop-ins"})`);
}
