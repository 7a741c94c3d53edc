import { join } from "node:path";
import type { Finding } from "../cli/local.js";
import { messageOf } from "../lib/errors.js";
import { DbusSystemd } from "../slice/systemd.js";
import { failure, inOrder, warning } from "./findings.js";
import type { Machine } from "./machine.js";

/** Well above what a busy systemd takes. */
const callTimeoutMs = 10_000;

/** @param address D-Bus address of systemd's bus */
export async function lookAtSystemd(address: string): Promise<Finding> {
  const check = "systemd";
  try {
    await activeUnits(address, "berth.slice");
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
  const systemd = new DbusSystemd({ address, callTimeoutMs });
  try {
    return (await systemd.listActive(pattern)).map(({ name }) => name);
  } finally {
    systemd.close();
  }
}

const unitDirectories = ["/etc/systemd/system", "/usr/lib/systemd/system"];

/** Without its unit file systemd makes berth.slice by itself, with no limit, and says nothing. */
export async function lookAtCeiling(machine: Machine): Promise<Finding> {
  const check = "berth.slice";
  for (const directory of unitDirectories) {
    const file = join(directory, "berth.slice");
    if (await machine.exists(file)) return inOrder(check, `${file} bounds all users together`);
  }
  return warning(check, {
    what: "the unit berth.slice is not installed",
    why: "nothing bounds all users together: what they promise each other may be more than there is, and then the host suffers",
    fix: "cp /opt/berth/slices/berth.slice /etc/systemd/system/; systemctl daemon-reload",
  });
}
