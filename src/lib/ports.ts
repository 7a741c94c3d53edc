import { BerthError } from "./errors.js";

/** TCP or UDP ports, both ends included. */
export interface PortRange {
  from: number;
  to: number;
}

/** The host ports of one sandbox: its engine's, and the block it publishes to. */
export interface SandboxPorts extends PortRange {
  engine: number;
}

export interface PortRequest {
  /** `ports.engine` of the configuration. */
  engineRange: PortRange;
  /** `ports.user` of the configuration. */
  userRange: PortRange;
  /** `ports.perSandbox` of the configuration. */
  blockSize: number;
  /** What other sandboxes hold, whatever ranges and block size they were given under. */
  used: readonly SandboxPorts[];
  /** Whether something that is not ours listens on the port. */
  isTaken?: (port: number) => boolean;
}

/**
 * The lowest engine port and the lowest block of user ports that nobody holds. Blocks lie on
 * multiples of `blockSize` from the range's start, so a released block fits the next sandbox.
 * @throws BerthError PORTS_EXHAUSTED
 */
export function allocatePorts(request: PortRequest): SandboxPorts {
  const { engineRange, userRange, blockSize, used, isTaken = () => false } = request;
  const held = new Set<number>();
  for (const ports of used) {
    held.add(ports.engine);
    for (let port = ports.from; port <= ports.to; port++) held.add(port);
  }
  const isFree = (port: number) => !held.has(port) && !isTaken(port);

  const engine = firstBlock(engineRange, 1, isFree);
  if (engine === undefined) {
    throw exhausted("engine port", "ports.engine", engineRange, countIn(engineRange, used));
  }
  held.add(engine);
  const from = firstBlock(userRange, blockSize, isFree);
  if (from === undefined) {
    throw exhausted(
      `block of ${blockSize} user ports`,
      "ports.user",
      userRange,
      used.filter((ports) => overlaps(userRange, ports)).length,
    );
  }
  return { engine, from, to: from + blockSize - 1 };
}

function firstBlock(
  range: PortRange,
  size: number,
  isFree: (port: number) => boolean,
): number | undefined {
  for (let from = range.from; from + size - 1 <= range.to; from += size) {
    let port = from;
    while (port < from + size && isFree(port)) port++;
    if (port === from + size) return from;
  }
  return undefined;
}

const overlaps = (a: PortRange, b: PortRange) => a.from <= b.to && b.from <= a.to;

const countIn = (range: PortRange, used: readonly SandboxPorts[]) =>
  used.filter(({ engine }) => engine >= range.from && engine <= range.to).length;

function exhausted(what: string, key: string, range: PortRange, holders: number): BerthError {
  return new BerthError(
    "PORTS_EXHAUSTED",
    `no free ${what} in ${range.from}-${range.to}: ${holders} sandboxes hold ports of it, and programs ` +
      `of the host may listen on others; remove sandboxes or widen ${key} in the configuration`,
  );
}
