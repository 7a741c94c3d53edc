import type Docker from "dockerode";
import type { ContainerInspectInfo } from "dockerode";
import { BerthError } from "../lib/errors.js";
import { engineCall, engineFind, statusOf } from "../lib/engine-call.js";
import { bridgeOptions, labelNames } from "./container.js";

interface NetworkInfo {
  Id: string;
  IPAM: { Config?: { Subnet?: string }[] | null };
  Labels?: Record<string, string>;
}

const subnetOf = ({ IPAM }: NetworkInfo): string | undefined => IPAM.Config?.[0]?.Subnet;

/** The one bridge on which all `userns` sandboxes of this Berth have an address. */
export class Bridge {
  readonly name: string;
  readonly #subnet: string;

  constructor(
    private readonly docker: Docker,
    private readonly installation: string,
    { name, subnet }: { name: string; subnet: string },
  ) {
    this.name = name;
    this.#subnet = subnet;
  }

  /**
   * Makes it; one that is there already and ours is kept.
   * @throws BerthError ENGINE_UNREACHABLE, ENGINE_FAILED
   */
  async ensure(): Promise<void> {
    const found = await this.#find();
    if (found && subnetOf(found) === this.#subnet) return;
    if (found) await this.#removeOutdated(found);
    const options = bridgeOptions({ name: this.name, subnet: this.#subnet }, this.installation);
    await engineCall(`create the network ${this.name} (${this.#subnet})`, async () => {
      try {
        await this.docker.createNetwork(options);
      } catch (error) {
        // 409: another creation made it a moment ago.
        if (statusOf(error) !== 409) throw error;
      }
    });
  }

  /** @throws BerthError ENGINE_UNREACHABLE, ENGINE_FAILED while something is on it */
  async remove(): Promise<void> {
    if (!(await this.#find())) return;
    await engineFind(`remove the network ${this.name}`, () =>
      this.docker.getNetwork(this.name).remove(),
    );
  }

  /** Whether the container was made on the bridge that is there now. */
  async holds({ NetworkSettings }: ContainerInspectInfo): Promise<boolean> {
    const joined = NetworkSettings.Networks[this.name]?.NetworkID;
    // Empty until the container was started once.
    return joined !== undefined && (joined === "" || joined === (await this.#find())?.Id);
  }

  /** The configuration's network.pool was changed: the old bridge goes as soon as nothing is on it. */
  async #removeOutdated(found: NetworkInfo): Promise<void> {
    try {
      await engineFind(`remove the network ${this.name}`, () =>
        this.docker.getNetwork(this.name).remove(),
      );
    } catch (error) {
      throw new BerthError(
        "ENGINE_FAILED",
        `the sandboxes' network ${this.name} is ${subnetOf(found)}, network.pool asks for ${this.#subnet}: ` +
          "remove the sandboxes made before the change, or change network.pool back",
        { cause: error },
      );
    }
  }

  async #find(): Promise<NetworkInfo | undefined> {
    const found = await engineFind(
      `look at the network ${this.name}`,
      () => this.docker.getNetwork(this.name).inspect() as Promise<NetworkInfo>,
    );
    if (!found || found.Labels?.[labelNames.installation] === this.installation) return found;
    throw new BerthError(
      "ENGINE_FAILED",
      `the network ${this.name} is not of this Berth (its labels say otherwise) and is left alone; rename or remove it by hand`,
    );
  }
}
