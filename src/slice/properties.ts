import { Variant } from "dbus-next";
import type { Limits } from "../lib/limits.js";

/** What all processes of a slice together may read and write, per second; what is left out has no bound. */
export interface IoCeiling {
  /** A directory on the file system whose disk is meant; absolute. */
  path: string;
  readBytes?: number | undefined;
  writeBytes?: number | undefined;
  readIops?: number | undefined;
  writeIops?: number | undefined;
}

/** What a user's slice is held to. */
export interface SliceLimits extends Limits {
  io?: IoCeiling | undefined;
}

/** One property of a unit, as StartTransientUnit and SetUnitProperties take them (`a(sv)`). */
export type UnitProperty = [name: string, value: Variant];

/**
 * What a user's slice is held to: all that can be changed while it runs.
 * systemd.resource-control(5); types in org.freedesktop.systemd1(5).
 */
export function sliceProperties(limits: SliceLimits): UnitProperty[] {
  return [
    ["MemoryMax", uint64(limits.memoryBytes)],
    // From here on who asks for more is slowed down and has page cache taken, before anything is killed.
    // v2 only; systemd ignores it on v1.
    ["MemoryHigh", uint64(memoryHighOf(limits.memoryBytes))],
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
    ...ioProperties(limits.io),
  ];
}

/**
 * The last 32nd of the memory is where the kernel slows a user down. Slowing grows with the square of what is
 * over (mm/memcontrol.c, calculate_high_delay): by its end some 60 ms for each 256 KiB, so a process
 * that wants everything gets to its limit seconds later, not never.
 */
export function memoryHighOf(memoryBytes: number): number {
  return memoryBytes - Math.floor(memoryBytes / 32);
}

/** Each list is emptied first: systemd adds to what there is, and the disk may be another one now. */
function ioProperties(io: IoCeiling | undefined): UnitProperty[] {
  const ceilings = {
    IOReadBandwidthMax: io?.readBytes,
    IOWriteBandwidthMax: io?.writeBytes,
    IOReadIOPSMax: io?.readIops,
    IOWriteIOPSMax: io?.writeIops,
  };
  return Object.entries(ceilings).flatMap(([name, most]): UnitProperty[] => {
    const none: UnitProperty = [name, new Variant("a(st)", [])];
    if (!io || most === undefined) return [none];
    return [none, [name, new Variant("a(st)", [[io.path, BigInt(most)]])]];
  });
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
