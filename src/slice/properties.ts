import { Variant } from "dbus-next";
import type { Limits } from "../lib/limits.js";

/** One property of a unit, as StartTransientUnit and SetUnitProperties take them (`a(sv)`). */
export type UnitProperty = [name: string, value: Variant];

/**
 * What a user's slice is held to: all that can be changed while it runs.
 * systemd.resource-control(5); types in org.freedesktop.systemd1(5).
 */
export function sliceProperties(limits: Limits): UnitProperty[] {
  return [
    ["MemoryMax", uint64(limits.memoryBytes)],
    // Without it a user at the limit would push the whole machine into swap.
    // cgroup v1 has no such limit of its own, and systemd sets none there.
    ["MemorySwapMax", uint64(0)],
    // Microseconds of processor time per second of wall time; systemd itself picks the period.
    ["CPUQuotaPerSecUSec", uint64(Math.round(limits.cpus * 1_000_000))],
    ["TasksMax", uint64(limits.pids)],
    // The same for all: when the machine is full, users share it evenly, whatever their quotas.
    ["CPUWeight", uint64(100)],
    ["IOWeight", uint64(100)],
    ["MemoryAccounting", new Variant("b", true)],
    ["CPUAccounting", new Variant("b", true)],
    ["TasksAccounting", new Variant("b", true)],
    ["IOAccounting", new Variant("b", true)],
  ];
}

/** A slice's description; by its end one Berth on a host tells its own slices from another's. */
export function descriptionOf(user: string, installation: string): string {
  return `Docker Engines of ${user} (Berth ${installation})`;
}

/** What only the start of a transient slice can set. */
export function startProperties(user: string, installation: string): UnitProperty[] {
  return [
    ["Description", new Variant("s", descriptionOf(user, installation))],
    // A stopped slice is forgotten in any case, a failed one only with this: the name is free again.
    ["CollectMode", new Variant("s", "inactive-or-failed")],
  ];
}

/** dbus-next takes 64-bit values as BigInt. */
function uint64(value: number): Variant<bigint> {
  return new Variant("t", BigInt(value));
}
