import { join } from "node:path";
import type { Finding } from "../cli/local.js";
import type { Config } from "../config.js";
import { forwardMarkText } from "../door/ruleset.js";
import {
  overlap,
  parseNetwork,
  parseRoutes,
  separateSubnets,
  sharedSubnet,
  type HostRoute,
} from "../lib/subnets.js";
import { failure, inOrder, sysctlFix, warning } from "./findings.js";
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
  const installation = await machine.read(join(config.dataDir, "installation-id"));
  return decidePool({
    pool: config.network.pool,
    privileged: config.allowPrivileged,
    routes: parseRoutes((await machine.read("/proc/net/route")) ?? ""),
    // Named as in src/assemble.ts.
    bridge: installation && `berth_${installation.slice(0, 8)}`,
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
}

/** @param backend what Docker filters with; undefined when it does not say */
export async function lookAtForwarding(
  machine: Machine,
  backend: string | undefined,
): Promise<Finding> {
  const [forward, listed, dockerUser] = await Promise.all([
    readNumber(machine, "/proc/sys/net/ipv4/ip_forward"),
    machine.run("iptables", ["-w", "5", "-S", "FORWARD"]),
    machine.run("iptables", ["-w", "5", "-S", "DOCKER-USER"]),
  ]);
  return decideForwarding({
    isOn: forward === 1,
    policy: listed.ok ? /^-P FORWARD (\S+)/m.exec(listed.stdout)?.[1] : undefined,
    hasDockerUser: dockerUser.ok,
    filtersByNftables: backend?.startsWith("nftables") === true,
  });
}

export function decideForwarding(facts: ForwardingFacts): Finding {
  const { isOn, policy, hasDockerUser, filtersByNftables } = facts;
  const check = "forwarding";
  if (!isOn) {
    return failure(check, {
      what: "the host forwards no packets: net.ipv4.ip_forward is 0",
      why: "sandboxes are reached at ports of the host, whose packets it forwards to them",
      fix: sysctlFix({ "net.ipv4.ip_forward": 1 }),
    });
  }
  if (policy === "DROP" && !hasDockerUser) {
    return failure(check, {
      what: "the firewall drops what is forwarded, and has no chain DOCKER-USER",
      why: "Berth lets packets to sandboxes pass by a rule in that chain, which Docker makes; without it no sandbox can be reached",
      fix: 'remove "iptables": false from /etc/docker/daemon.json; systemctl restart docker',
    });
  }
  if (filtersByNftables && !hasDockerUser) {
    return warning(check, {
      what: "Docker filters with nftables, and leaves no chain to others",
      why: "it drops what is forwarded to sandboxes, unless it is told to let packets with Berth's mark pass",
      fix: `"bridge-accept-fwmark": "${forwardMarkText}" in /etc/docker/daemon.json; systemctl restart docker`,
    });
  }
  if (hasDockerUser)
    return inOrder(check, "on; sandboxes' ports pass by Docker's chain DOCKER-USER");
  if (policy === undefined) return inOrder(check, "on; iptables could not be asked what it drops");
  return inOrder(check, "on; iptables drops nothing that is forwarded");
}
