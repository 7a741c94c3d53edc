import type { run } from "../lib/exec.js";
import { forwardingError } from "./failure.js";
import { forwardMarkText } from "./ruleset.js";

/*
 * DOCKER-USER is the chain that Docker leaves to others; it runs before Docker's own rules for
 * FORWARD, which let no connection in that Docker did not publish, and none from one bridge to
 * another. Docker keeps what is in it across restarts.
 */
const chain = "DOCKER-USER";
const rule = [
  ...["-m", "mark", "--mark", forwardMarkText],
  ...["-m", "comment", "--comment", "berth", "-j", "ACCEPT"],
];
/** Others may hold the lock of legacy iptables; seconds. */
const waitForLock = ["-w", "5"];

/** `no chain`: the engine does not filter with iptables, or not at all. */
export type DockerUserState = "accepted" | "rule missing" | "no chain";

/** Berth's one rule in DOCKER-USER. */
export class DockerUser {
  constructor(private readonly exec: typeof run) {}

  async state(): Promise<DockerUserState> {
    if (await this.#works("-C", chain, ...rule)) return "accepted";
    return (await this.#works("-S", chain)) ? "rule missing" : "no chain";
  }

  /** First in the chain: a rule behind Docker's or the operator's RETURN would never be met. */
  async accept(): Promise<void> {
    try {
      await this.exec("iptables", [...waitForLock, "-I", chain, ...rule]);
    } catch (error) {
      throw forwardingError(`add Berth's rule to ${chain}`, "iptables", error);
    }
  }

  /** Takes the rule out, however often it is there. */
  async remove(): Promise<void> {
    while (await this.#works("-D", chain, ...rule));
  }

  async #works(...args: string[]): Promise<boolean> {
    try {
      await this.exec("iptables", [...waitForLock, ...args]);
      return true;
    } catch {
      // iptables has one exit code for "no such rule" and "no such chain".
      return false;
    }
  }
}
