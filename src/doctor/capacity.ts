import type { Finding } from "../cli/local.js";
import { minLimits, type Config } from "../config.js";
import { uidsPerSandbox } from "../lib/model.js";
import { parseNetwork, sharedSubnet } from "../lib/subnets.js";
import { formatSize } from "../lib/units.js";
import { faultsOr, inOrder, warning } from "./findings.js";
import type { Machine } from "./machine.js";

/** A bridge has no more ports (BR_PORT_BITS in net/bridge/br_private.h), and all sandboxes are on one. */
const bridgePorts = 1023;

/** What berth.slice leaves to all sandboxes together; slices/berth.slice says the same. */
const memoryShare = 0.85;

export interface Capacity {
  /** The number that the kernel's limits are held against. */
  sandboxes: number;
  configured: number;
  /** What the configuration would have to give more of. */
  bound: string;
  /** How many of the smallest the memory holds. */
  inMemory: number;
  /** Infinite when the kernel does not tell. */
  memoryBytes: number;
}

/** How many sandboxes the configuration has room for, and of what there is least. */
export function configuredSandboxes(config: Config): { most: number; bound: string } {
  const { ports, subordinateUids, network } = config;
  const count = ({ from, to }: { from: number; to: number }) => to - from + 1;
  const addresses = 2 ** (32 - parseNetwork(sharedSubnet(network.pool)).bits);
  const bounds = [
    { bound: "ports.engine", most: count(ports.engine) },
    { bound: "ports.user", most: Math.floor(count(ports.user) / ports.perSandbox) },
    { bound: "subordinateUids", most: Math.floor(count(subordinateUids) / uidsPerSandbox) },
    // But for the network's own address, the bridge's and the broadcast one.
    { bound: "network.pool", most: addresses - 3 },
    { bound: "the bridge's ports", most: bridgePorts },
  ];
  return bounds.reduce((least, bound) => (bound.most < least.most ? bound : least));
}

/** @param asked `--sandboxes`: what the operator has in mind */
export async function readCapacity(
  machine: Machine,
  config: Config,
  asked: number | undefined,
): Promise<Capacity> {
  const text = (await machine.read("/proc/meminfo")) ?? "";
  const kilobytes = /^MemTotal:\s+(\d+) kB/m.exec(text)?.[1];
  const memoryBytes = kilobytes === undefined ? Infinity : 1024 * Number(kilobytes);
  const { most: configured, bound } = configuredSandboxes(config);
  // Memory may be promised more than once, but a sandbox that does anything has at least this much.
  const inMemory = Math.floor((memoryBytes * memoryShare) / minLimits.memoryBytes);
  const sandboxes = asked ?? Math.max(1, Math.min(configured, inMemory));
  return { sandboxes, configured, bound, inMemory, memoryBytes };
}

export function decideCapacity(capacity: Omit<Capacity, "memoryBytes">): Finding[] {
  const { sandboxes, configured, bound, inMemory } = capacity;
  const check = "capacity";
  const least = formatSize(minLimits.memoryBytes);
  const faults: Finding[] = [];
  if (sandboxes > configured) {
    faults.push(
      warning(check, {
        what: `${sandboxes} sandboxes are asked for; the configuration has room for ${configured}`,
        why: "creations beyond that are refused",
        fix:
          bound === "the bridge's ports"
            ? "all sandboxes of a Berth are on one bridge, which has 1023 ports: use another host"
            : `widen ${bound} in the configuration`,
      }),
    );
  }
  if (sandboxes > inMemory) {
    faults.push(
      warning(check, {
        what: `the memory holds ${inMemory} sandboxes at ${least} each, the least that one can have; ${sandboxes} are wanted`,
        why: "they can be made, but when all of them do something the kernel ends processes of theirs, within the limits that their users were given",
        fix: "more memory, or fewer sandboxes at a time: sandboxesPerUser and ttl in the configuration",
      }),
    );
  }
  return faultsOr(
    faults,
    inOrder(
      check,
      `${configured} sandboxes by the configuration (${bound}), ${inMemory} by memory at ${least} each; limits below are held against ${sandboxes}`,
    ),
  );
}
