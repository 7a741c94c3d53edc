import { run } from "../lib/exec.js";
import type { Check, ContainerFacts, Egress, Isolation } from "../lib/model.js";
import type { PortRange } from "../lib/ports.js";
import { gatewayOf } from "../lib/subnets.js";
import { firewall } from "./firewall.js";
import { checkFirewall } from "./firewall-check.js";
import { checkProcesses } from "./process-check.js";
import { encodedFilter } from "./seccomp.js";
import { wallRules, withoutWall } from "./wall.js";
import { nft } from "./nft.js";

/** How a sandbox is to be held; all of it is recorded. */
export interface HoldingInput {
  isolation: Isolation;
  /** First host uid of a `userns` sandbox. */
  uidBase?: number | undefined;
  /** Its network in CIDR notation, and its address in it. */
  subnet: string;
  address: string;
  /** Published user ports. */
  ports: PortRange;
  dns: readonly string[];
  /** Private networks that sandboxes may reach. */
  allowPrivate: readonly string[];
  egress: Egress;
  /** Device nodes of the host that the profile grants. */
  devices: readonly string[];
}

/** What holds `userns` sandboxes: what their containers are told, the wall before the host, and the proof. */
export class SandboxIsolation {
  readonly #wall: { table: string; bridge: string; dns: readonly string[] };
  readonly #exec: typeof run;
  readonly #root: string;

  constructor(options: {
    /** The wall: name of its nftables table, the sandboxes' bridge and their resolvers. */
    wall: { table: string; bridge: string; dns: readonly string[] };
    /** For tests; where /proc is found, `/` but there. */
    exec?: typeof run;
    root?: string;
  }) {
    this.#wall = options.wall;
    this.#exec = options.exec ?? run;
    this.#root = options.root ?? "/";
  }

  /** What the container's entrypoint is told (images/README.md); nothing in it is secret. Pure. */
  environment(input: HoldingInput): Record<string, string> {
    const { isolation, dns, uidBase, devices } = input;
    const common = { BERTH_ISOLATION: isolation, BERTH_DNS: dns.join(" ") };
    if (isolation === "privileged") return common;
    return {
      ...common,
      BERTH_UID_BASE: String(uidBase),
      BERTH_DEVICES: devices.join(" "),
      BERTH_FIREWALL: firewallOf(input),
      BERTH_SECCOMP: encodedFilter(),
    };
  }

  /**
   * Sets the wall's rules, whatever somebody made of them: one transaction, never a moment without.
   * @throws BerthError FORWARDING_FAILED
   */
  async raiseWall(): Promise<void> {
    await nft(this.#exec, "keep sandboxes from the host's addresses", wallRules(this.#wall));
  }

  /** Leaves nothing of the wall. */
  async takeWallDown(): Promise<void> {
    await nft(this.#exec, "remove the rules about sandboxes", withoutWall(this.#wall.table));
  }

  /**
   * Looks, from the host and at nothing but the kernel's own state, whether a `userns` sandbox is held as
   * it must be: one check for each layer, none for a privileged one, which nothing holds.
   */
  async inspect(facts: ContainerFacts, input: HoldingInput): Promise<Check[]> {
    const { isolation, uidBase } = input;
    if (isolation === "privileged" || uidBase === undefined) return [];
    const [processes, wall] = await Promise.all([
      checkProcesses(facts.pid, uidBase, this.#root),
      checkFirewall(facts.pid, firewallOf(input), this.#exec),
    ]);
    return [...processes, wall];
  }
}

const firewallOf = (input: HoldingInput): string =>
  firewall({ ...input, gateway: gatewayOf(input.subnet) });
