import { Mutex } from "async-mutex";
import { BerthError, messageOf } from "../lib/errors.js";
import { run } from "../lib/exec.js";
import type { Log } from "../lib/log.js";
import type { Route, WantedRoutes } from "../lib/model.js";
import { DockerUser } from "./docker-user.js";
import { forwardingError } from "./failure.js";
import { parseTable, parseTables, type KernelState } from "./kernel-state.js";
import { forwardedPorts, planOpen, planSync } from "./plan.js";
import {
  changeElements,
  elementsOf,
  forwardMarkText,
  sameElement,
  skeleton,
  withoutTable,
  type Element,
} from "./ruleset.js";
import { findTakenPorts } from "./taken-ports.js";

/**
 * The `direct` door: clients reach a sandbox's dockerd and its published ports at the host's own
 * addresses, by an nftables map (ruleset.ts). The kernel holds the truth; what we remember of it
 * only makes the usual `open` and `close` one nft process each.
 *
 * Connections under way are not cut by `close`: they end with the sandbox.
 */
export class DirectDoor {
  readonly #table: string;
  readonly #log: Log;
  readonly #exec: typeof run;
  readonly #dockerUser: DockerUser;
  /** One change at a time: each is planned on what the one before left. */
  readonly #changing = new Mutex();
  readonly #known = new Map<string, Element[]>();
  #rulesMade = false;
  #dockerUserSeen = false;

  constructor(options: {
    /** Name of the nftables table; one of its own for each Berth on this host. */
    table: string;
    log: Log;
    /** For tests. */
    exec?: typeof run;
  }) {
    this.#table = options.table;
    this.#log = options.log;
    this.#exec = options.exec ?? run;
    this.#dockerUser = new DockerUser(this.#exec);
  }

  /**
   * Sends the sandbox's host ports to it. A sandbox that comes back after a reboot may find that
   * something else listens on one of them by now: that is not taken from it.
   * @throws BerthError FORWARDING_FAILED, PORT_TAKEN
   */
  open(route: Route): Promise<void> {
    return this.#changing.runExclusive(async () => {
      if (!this.#known.has(route.id)) await mustBeFree(route);
      const act = `forward ports to sandbox ${route.id}`;
      const wanted = elementsOf(route);
      const old = (this.#known.get(route.id) ?? []).filter(
        (element) => !wanted.some((want) => sameElement(want, element)),
      );
      const script =
        (this.#rulesMade ? "" : skeleton(this.#table)) + changeElements(this.#table, old, wanted);
      await this.#applyOr(act, script, async () =>
        planOpen(this.#table, await this.#read(act), route),
      );
      this.#rulesMade = true;
      this.#known.set(route.id, wanted);
      if (!this.#dockerUserSeen) await this.#ensureDockerUser(false);
    });
  }

  /**
   * Takes the sandbox's ports back; known to this process or not.
   * @throws BerthError FORWARDING_FAILED
   */
  close(id: string): Promise<void> {
    return this.#changing.runExclusive(async () => {
      const act = `stop forwarding ports to sandbox ${id}`;
      const fromKernel = async () => {
        const elements = (await this.#read(act))?.elements ?? [];
        return changeElements(
          this.#table,
          elements.filter((element) => element.id === id),
          [],
        );
      };
      const known = this.#known.get(id);
      if (known) await this.#applyOr(act, changeElements(this.#table, known, []), fromKernel);
      else await this.#apply(act, await fromKernel());
      this.#known.delete(id);
    });
  }

  /**
   * Makes the whole forwarding agree with what is wanted, whatever someone did to table or chain, and
   * returns what it changed (with dryRun: would change). Asks what is wanted once the kernel's state
   * is read: nothing opens or closes in between.
   * @throws BerthError FORWARDING_FAILED
   */
  sync(wanted: WantedRoutes, options: { dryRun?: boolean } = {}): Promise<string[]> {
    return this.#changing.runExclusive(async () => {
      const dryRun = options.dryRun === true;
      const kernel = await this.#read("look at the port forwarding");
      const { script, changes, elements } = planSync(this.#table, kernel, wanted);
      const tableStays = kernel !== undefined || script !== "";
      if (!dryRun) {
        await this.#apply("bring port forwarding into order", script);
        this.#rulesMade = tableStays;
        this.#remember(elements);
      }
      if (!tableStays) return changes;
      return [...changes, ...(await this.#ensureDockerUser(dryRun))];
    });
  }

  /**
   * Of these ports, the ones something on the host already listens on, TCP or UDP, and those that lead
   * to a sandbox: one whose record cannot be read keeps its ports, and nobody else knows them.
   */
  async takenPorts(ports: number[]): Promise<number[]> {
    const forwarded = forwardedPorts([...this.#known.values()].flat());
    const free = ports.filter((port) => !forwarded(port));
    const listened = await findTakenPorts(free);
    return ports.filter((port) => forwarded(port) || listened.includes(port));
  }

  /** Leaves nothing of this Berth's door in the host's firewall; the rule in DOCKER-USER is every Berth's. */
  uninstall(): Promise<void> {
    return this.#changing.runExclusive(async () => {
      const act = "remove all port forwarding";
      await this.#apply(act, withoutTable(this.#table));
      if (!(await this.#hasOthers(act))) await this.#dockerUser.remove();
      this.#known.clear();
      this.#rulesMade = this.#dockerUserSeen = false;
    });
  }

  #remember(elements: readonly Element[]): void {
    this.#known.clear();
    for (const element of elements) {
      this.#known.set(element.id, [...(this.#known.get(element.id) ?? []), element]);
    }
  }

  async #ensureDockerUser(dryRun: boolean): Promise<string[]> {
    const state = await this.#dockerUser.state();
    if (state === "no chain" && !this.#dockerUserSeen) {
      this.#log.warn(
        { mark: forwardMarkText },
        "no chain DOCKER-USER: if the host's firewall drops what it forwards, let packets with this mark pass " +
          "(Docker's nftables backend: dockerd --bridge-accept-fwmark)",
      );
    }
    this.#dockerUserSeen = true;
    if (state !== "rule missing") return [];
    if (!dryRun) await this.#dockerUser.accept();
    return ["let forwarded ports pass in the iptables chain DOCKER-USER"];
  }

  /** undefined when there is no table of ours. */
  async #read(act: string): Promise<KernelState | undefined> {
    const tables = await this.#tables(act);
    if (!tables.includes(this.#table)) return undefined;
    try {
      return parseTable(await this.#exec("nft", ["-j", "list", "table", "ip", this.#table]));
    } catch (error) {
      throw forwardingError(act, "nft", error);
    }
  }

  /** Whether another Berth forwards ports here, or has its wall up and may at any time. */
  async #hasOthers(act: string): Promise<boolean> {
    const isOwn = (name: string) => name === this.#table || name.startsWith(`${this.#table}_`);
    const tables = await this.#tables(act);
    return tables.some((name) => name.startsWith("berth_") && !isOwn(name));
  }

  async #tables(act: string): Promise<string[]> {
    try {
      return parseTables(await this.#exec("nft", ["-j", "list", "tables", "ip"]));
    } catch (error) {
      throw forwardingError(act, "nft", error);
    }
  }

  /** Runs `script`, or, where the kernel is not as remembered, what `plan` makes of the kernel's state. */
  async #applyOr(act: string, script: string, plan: () => Promise<string>): Promise<void> {
    try {
      await this.#apply(act, script);
    } catch (error) {
      if (!(error instanceof BerthError)) throw error;
      this.#log.debug(
        { reason: messageOf(error) },
        "the kernel's forwarding is not as remembered; looking",
      );
      await this.#apply(act, await plan());
    }
  }

  async #apply(act: string, script: string): Promise<void> {
    if (script === "") return;
    try {
      await this.#exec("nft", ["-f", "-"], { input: script });
    } catch (error) {
      throw forwardingError(act, "nft", error);
    }
  }
}

async function mustBeFree({ id, engineHostPort, from, to }: Route): Promise<void> {
  const block = Array.from({ length: to - from + 1 }, (_, i) => from + i);
  const [taken] = await findTakenPorts([engineHostPort, ...block]);
  if (taken === undefined) return;
  throw new BerthError(
    "PORT_TAKEN",
    `cannot open port ${taken} for sandbox ${id}: something else listens on it (ss -lnp 'sport = :${taken}'); stop that, or remove the sandbox`,
  );
}
