import { z } from "zod";
import type { Finding } from "../cli/local.js";
import type { Config } from "../config.js";
import { forwardMark, forwardMarkText } from "../door/ruleset.js";
import { bridgeOf, knownInstallation } from "../lib/installation.js";
import {
  overlap,
  parseNetwork,
  parseRoutes,
  separateSubnets,
  sharedSubnet,
  type HostRoute,
} from "../lib/subnets.js";
import { failure, faultsOr, inOrder, sysctlFix, warning } from "./findings.js";
import { readNumber, type Machine } from "./machine.js";

export interface PoolFacts {
  pool: string;
  /** Whether sandboxes of isolation `privileged` may be made, with networks of their own. */
  privileged: boolean;
  routes: HostRoute[];
  /** Interface of the bridge that sandboxes share; undefined before Berth ran once. */
  bridge: string | undefined;
}

export async function lookAtPool(machine: Machine, config: Config): Promise<Finding> {
  const installation = await knownInstallation(config.dataDir);
  return decidePool({
    pool: config.network.pool,
    privileged: config.allowPrivileged,
    routes: parseRoutes((await machine.read("/proc/net/route")) ?? ""),
    bridge: installation === undefined ? undefined : bridgeOf(installation),
  });
}

/** As a creation is refused: src/lib/subnets.ts, allocateAddress and allocateSubnet. */
export function decidePool({ pool, privileged, routes, bridge }: PoolFacts): Finding {
  const check = "network pool";
  const shared = sharedSubnet(pool);
  const isIn = (network: string) => (route: HostRoute) =>
    overlap(parseNetwork(route.network), parseNetwork(network));
  const stranger = routes
    .filter(isIn(shared))
    .find(({ network, device }) => network !== shared || device !== bridge);
  if (stranger) {
    return failure(check, {
      what: `${shared}, the network of all sandboxes, overlaps ${stranger.network} on ${stranger.device}`,
      why: "packets to sandboxes would go there, or those meant for there to sandboxes: no sandbox can be made",
      fix: "choose another network.pool in the configuration; ip route shows what the host reaches",
    });
  }
  const separate = separateSubnets(pool);
  // Those of sandboxes that have one, whichever Berth's they are.
  const others = routes
    .filter(isIn(separate))
    .filter(({ device }) => !/^berth-[a-z0-9]{8}$/.test(device));
  if (privileged && others.length > 0) {
    return warning(check, {
      what: `${separate}, for sandboxes of isolation privileged, overlaps ${others[0]?.network ?? ""} on ${others[0]?.device ?? ""}`,
      why: "networks that overlap it are left out, so there is room for fewer",
      fix: "choose another network.pool in the configuration",
    });
  }
  return inOrder(check, `${pool}; nothing else of the host's is in it`);
}

export interface ForwardingFacts {
  /** net.ipv4.ip_forward. */
  isOn: boolean;
  /** `-P FORWARD` of iptables; undefined when it cannot be read. */
  policy: string | undefined;
  hasDockerUser: boolean;
  /** Whether Docker makes its rules with nftables, where no chain is left to others. */
  filtersByNftables: boolean;
  daemon: DaemonSettings;
}

/** Of /etc/docker/daemon.json; what dockerd's own command line says nobody can read there. */
export interface DaemonSettings {
  iptables?: boolean | undefined;
  /** Packets with this mark pass, `value/mask`: docs.docker.com/engine/network/firewall-nftables. */
  "bridge-accept-fwmark"?: string | undefined;
}

const daemonFile = "/etc/docker/daemon.json";
const daemonSchema = z.object({
  iptables: z.boolean().optional().catch(undefined),
  "bridge-accept-fwmark": z.string().optional().catch(undefined),
});

/** None where it is missing, or no engine could read it either. */
export function parseDaemonSettings(text: string | undefined): DaemonSettings {
  try {
    return daemonSchema.parse(JSON.parse(text ?? "{}"));
  } catch {
    return {};
  }
}

/** @param backend what Docker filters with; undefined when it does not say */
export async function lookAtForwarding(
  machine: Machine,
  backend: string | undefined,
): Promise<Finding[]> {
  const [forward, daemon, listed, dockerUser] = await Promise.all([
    readNumber(machine, "/proc/sys/net/ipv4/ip_forward"),
    machine.read(daemonFile),
    machine.run("iptables", ["-w", "5", "-S", "FORWARD"]),
    machine.run("iptables", ["-w", "5", "-S", "DOCKER-USER"]),
  ]);
  return decideForwarding({
    isOn: forward === 1,
    policy: listed.ok ? /^-P FORWARD (\S+)/m.exec(listed.stdout)?.[1] : undefined,
    hasDockerUser: dockerUser.ok,
    filtersByNftables: backend?.startsWith("nftables") === true,
    daemon: parseDaemonSettings(daemon),
  });
}

export function decideForwarding(facts: ForwardingFacts): Finding[] {
  const check = "forwarding";
  if (!facts.isOn) {
    return [
      failure(check, {
        what: "the host forwards no packets: net.ipv4.ip_forward is 0",
        why: "sandboxes are reached at ports of the host, whose packets it forwards to them",
        fix: sysctlFix({ "net.ipv4.ip_forward": 1 }),
      }),
    ];
  }
  return facts.filtersByNftables ? besideNftables(check, facts) : [besideIptables(check, facts)];
}

/**
 * A packet then passes Docker's tables and iptables, and who accepts it in one has not in the other: the chain
 * DOCKER-USER, which may still be there from the time before, does not help.
 */
function besideNftables(check: string, { policy, daemon }: ForwardingFacts): Finding[] {
  const faults: Finding[] = [];
  if (policy === "DROP") {
    faults.push(
      failure(check, {
        what: "iptables drops what is forwarded, while Docker filters with nftables and accepts nothing there",
        why: "packets to and from sandboxes pass both; Docker leaves the policy behind when it changes over, or the host's own firewall sets it",
        fix: "iptables -P FORWARD ACCEPT",
      }),
    );
  }
  if (!isForwardMark(daemon["bridge-accept-fwmark"])) {
    faults.push(
      warning(check, {
        what: "Docker filters with nftables, and leaves no chain to others",
        why: "it drops what is forwarded to sandboxes, unless it is told to let packets with Berth's mark pass",
        fix: `"bridge-accept-fwmark": "${forwardMarkText}" in ${daemonFile}; systemctl restart docker`,
      }),
    );
  }
  return faultsOr(
    faults,
    inOrder(check, "on; Docker filters with nftables, and lets Berth's mark pass"),
  );
}

/** As dockerd reads it: two numbers of any base. */
function isForwardMark(text: string | undefined): boolean {
  const [value, mask] = (text ?? "").split("/").map(Number);
  return value === forwardMark.value && mask === forwardMark.mask;
}

function besideIptables(check: string, facts: ForwardingFacts): Finding {
  const { policy, hasDockerUser, daemon } = facts;
  if (policy === "DROP" && !hasDockerUser) {
    return failure(check, {
      what: "the firewall drops what is forwarded, and has no chain DOCKER-USER",
      why: "Berth lets packets to sandboxes pass by a rule in that chain, which Docker makes; without it no sandbox can be reached",
      fix:
        daemon.iptables === false
          ? `remove "iptables": false from ${daemonFile}; systemctl restart docker`
          : "systemctl restart docker # makes the chain anew, unless it was started with --iptables=false",
    });
  }
  if (hasDockerUser)
    return inOrder(check, "on; sandboxes' ports pass by Docker's chain DOCKER-USER");
  if (policy === undefined) return inOrder(check, "on; iptables could not be asked what it drops");
  return inOrder(check, "on; iptables drops nothing that is forwarded");
}
