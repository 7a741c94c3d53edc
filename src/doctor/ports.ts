import type { Finding } from "../cli/local.js";
import type { Config } from "../config.js";
import type { PortRange } from "../lib/ports.js";
import { faultsOr, inOrder, sysctlFix, warning } from "./findings.js";
import type { Machine } from "./machine.js";

export interface PortFacts {
  engine: PortRange;
  user: PortRange;
  /** Page and API. */
  api: number;
  /** From which the host takes ports for connections of its own. */
  outgoing: PortRange;
  /** Ports that something listens on, sockets in the host's network namespace. */
  listening: number[];
}

/** TCP_LISTEN in net/tcp_states.h; UDP sockets that are bound have 07. */
const listenStates = { tcp: "0A", udp: "07" };

export async function lookAtPorts(machine: Machine, config: Config): Promise<Finding[]> {
  const range = (await machine.read("/proc/sys/net/ipv4/ip_local_port_range")) ?? "";
  const [from = 0, to = 0] = range.trim().split(/\s+/).map(Number);
  const listening = await Promise.all(
    (["tcp", "tcp6", "udp", "udp6"] as const).map(async (table) => {
      const text = (await machine.read(`/proc/net/${table}`)) ?? "";
      return parseListening(text, table.startsWith("tcp") ? listenStates.tcp : listenStates.udp);
    }),
  );
  return decidePorts({
    engine: config.ports.engine,
    user: config.ports.user,
    api: config.listen.port,
    outgoing: { from, to },
    listening: listening.flat(),
  });
}

/** Ports of sockets in a state, of /proc/net/tcp and its like: `sl local_address rem_address st …`, in hexadecimal. */
export function parseListening(table: string, state: string): number[] {
  return [...table.matchAll(/^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:0000 ([0-9A-F]{2}) /gm)]
    .filter(([, , st]) => st === state)
    .map(([, port]) => parseInt(port ?? "", 16));
}

const text = ({ from, to }: PortRange) => `${from}-${to}`;
const has = ({ from, to }: PortRange, port: number) => from <= port && port <= to;

export function decidePorts(facts: PortFacts): Finding[] {
  const check = "ports";
  const { engine, user, api, outgoing } = facts;
  const ranges = [engine, user];
  const faults: Finding[] = [];
  if (ranges.some((range) => range.from <= outgoing.to && outgoing.from <= range.to)) {
    faults.push(
      warning(check, {
        what: `engines' ${text(engine)} or published ${text(user)} overlap the host's outgoing ports (${text(outgoing)})`,
        why: "a connection that the host itself makes may hold a sandbox's port at times: its creation, or its coming back after a reboot, then fails",
        fix: outgoingFix(facts),
      }),
    );
  }
  if (ranges.some((range) => has(range, api))) {
    faults.push(
      warning(check, {
        what: `listen.port ${api} lies in the sandboxes' ports`,
        why: "ports in use are left out, but a sandbox made before this was set may have it: page and API are then not to be reached from other machines",
        fix: "choose listen.port outside of ports.engine and ports.user",
      }),
    );
  }
  const taken = [...new Set(facts.listening)]
    // What is in there comes and goes.
    .filter((port) => port !== api && !has(outgoing, port))
    .filter((port) => ranges.some((range) => has(range, port)))
    .sort((a, b) => a - b);
  const [first] = taken;
  if (first !== undefined) {
    faults.push(
      warning(check, {
        what: `other programs listen on ${few(taken)}, of the sandboxes' ports`,
        why: "Berth leaves these out, and a sandbox that had one before cannot come back after a reboot (PORT_TAKEN)",
        fix: `ss -lntup 'sport = :${first}' # says who; stop it, or choose other ranges`,
      }),
    );
  }
  return faultsOr(faults, inOrder(check, `engines ${text(engine)}, published ${text(user)}`));
}

const few = (ports: number[]): string =>
  ports.slice(0, 4).join(", ") + (ports.length > 4 ? ` and ${ports.length - 4} more` : "");

/** Fewer than this for the host's own connections would be no help. */
const fewestOutgoing = 10_000;

function outgoingFix({ engine, user, outgoing }: PortFacts): string {
  const above = Math.max(engine.to, user.to) + 1;
  const move = `choose ports.engine and ports.user below ${outgoing.from}`;
  if (above + fewestOutgoing > 65_535) return `${move} in the configuration`;
  return `${sysctlFix({ "net.ipv4.ip_local_port_range": `${above} 65535` })}\nor ${move}`;
}
