import type Docker from "dockerode";
import type { ContainerInspectInfo } from "dockerode";
import { BerthError } from "../lib/errors.js";
import type { Limits } from "../lib/limits.js";
import type { Log } from "../lib/log.js";
import type { ContainerFacts, EngineInventory, Launch, NetworkLaunch, Peer } from "../lib/model.js";
import { Bridge } from "./bridge.js";
import {
  cgroupParent,
  containerOptions,
  labelNames,
  networkOptions,
  thingName,
} from "./container.js";
import { engineCall, engineFind, statusOf } from "../lib/engine-call.js";
import { lastLogLines } from "../lib/engine-log.js";
import { hasLimits, updateLimits } from "./limits.js";
import { followDeaths } from "./deaths.js";
import { pingUntilAnswered } from "./ready.js";
import { usageOf, type EngineUsage } from "./usage.js";

/** The host's Docker Engine, as far as sandboxes need it. */
export class SandboxEngine {
  readonly #docker: Docker;
  readonly #streams: Docker;
  readonly #installation: string;
  readonly #startTimeoutMs: number;
  readonly #openFiles: number;
  readonly #bridge: Bridge;
  readonly #log: Log;
  #cgroupDriver: string | undefined;

  constructor(options: {
    docker: Docker;
    /** The same engine, for calls that last. */
    streams: Docker;
    /** Value of the label that tells this Berth's things from another's. */
    installation: string;
    startTimeoutMs: number;
    /** RLIMIT_NOFILE of a sandbox's processes. */
    openFiles: number;
    /** The bridge that all `userns` sandboxes share: name of network and interface, and its network (CIDR). */
    bridge: { name: string; subnet: string };
    log: Log;
  }) {
    this.#docker = options.docker;
    this.#streams = options.streams;
    this.#installation = options.installation;
    this.#startTimeoutMs = options.startTimeoutMs;
    this.#openFiles = options.openFiles;
    this.#bridge = new Bridge(options.docker, options.installation, options.bridge);
    this.#log = options.log;
  }

  /**
   * Makes the network that the sandbox joins; one that is there already and ours is kept.
   * @throws BerthError ENGINE_UNREACHABLE, ENGINE_FAILED
   */
  async prepareNetwork(launch: NetworkLaunch): Promise<void> {
    if (launch.isolation === "userns") {
      await this.#bridge.ensure();
      return;
    }
    if (await this.#ownNetwork(launch.id)) return;
    // A container stays tied to the network it was made on, which somebody removed.
    await this.remove(launch.id);
    await engineCall(`create the network of sandbox ${launch.id}`, () =>
      this.#docker.createNetwork(networkOptions(launch, this.#installation)),
    );
  }

  /** Makes the bridge that sandboxes share, so that the first need not wait for it. */
  async prepareBridge(): Promise<void> {
    await this.#bridge.ensure();
  }

  /** Removes the bridge that sandboxes shared, if it is there and ours. */
  async removeBridge(): Promise<void> {
    await this.#bridge.remove();
  }

  /**
   * Makes the sandbox's container; one that is there already and ours is kept, with these limits.
   * @throws BerthError ENGINE_UNREACHABLE, ENGINE_FAILED, IMAGE_MISSING
   */
  async prepareContainer(launch: Launch): Promise<void> {
    const name = thingName(launch.id);
    const found = await this.#ownContainer(launch.id);
    const isConnected =
      launch.isolation === "userns"
        ? found && (await this.#bridge.holds(found))
        : found?.NetworkSettings.Networks[name] !== undefined;
    if (found && isConnected) {
      await this.#settle(found, launch);
      return;
    }
    // Taken off its network, or made on one that somebody removed: it could not be started or reached.
    if (found) await this.remove(launch.id);
    const host = {
      cgroupParent: cgroupParent(launch.slice, await this.#driver()),
      openFiles: this.#openFiles,
      network: launch.isolation === "userns" ? this.#bridge.name : name,
    };
    await engineCall(`create the container ${name}`, () =>
      this.#docker.createContainer(containerOptions(launch, this.#installation, host)),
    );
  }

  /**
   * Holds the sandbox's container to these limits, whatever the engine says it has: after an update
   * that failed in the middle it tells the limits of before, and the kernel has some of either.
   * @throws BerthError ENGINE_UNREACHABLE, ENGINE_FAILED
   */
  async setLimits(id: string, limits: Limits): Promise<void> {
    await this.#ownContainer(id);
    await updateLimits(this.#docker, thingName(id), limits);
  }

  /** The same, if the engine says that the container has others; false when there is no container. */
  async settleLimits(id: string, limits: Limits): Promise<boolean> {
    const found = await this.#ownContainer(id);
    if (found) await this.#settle(found, { id, limits });
    return found !== undefined;
  }

  async start(id: string): Promise<void> {
    await engineCall(`start the container ${thingName(id)}`, async () => {
      try {
        await this.#docker.getContainer(thingName(id)).start();
      } catch (error) {
        // 304: it runs already.
        if (statusOf(error) !== 304) throw error;
      }
    });
  }

  /**
   * Waits until the sandbox's dockerd answers over mutual TLS.
   * @throws BerthError ENGINE_START_FAILED, with the container's last log lines, as soon as it dies
   *   or when the deadline passes; the signal's reason when that aborts
   */
  async waitReady(id: string, peer: Peer, signal: AbortSignal): Promise<void> {
    const settled = new AbortController();
    const deadline = AbortSignal.timeout(this.#startTimeoutMs);
    const all = AbortSignal.any([signal, deadline, settled.signal]);
    const container = this.#streams.getContainer(thingName(id));
    const died = container.wait({ abortSignal: all }).then(async () => {
      throw await this.#startFailed(id, "its container stopped");
    });
    died.catch(() => undefined);
    try {
      await Promise.race([pingUntilAnswered(peer, all), died]);
    } catch (error) {
      if (error instanceof BerthError) throw error;
      signal.throwIfAborted();
      const seconds = Math.round(this.#startTimeoutMs / 1000);
      if (deadline.aborted) throw await this.#startFailed(id, `no answer within ${seconds} s`);
      throw await this.#startFailed(id, "its state cannot be watched");
    } finally {
      settled.abort();
    }
  }

  /**
   * Removes container and network; each only if its labels say that it is this sandbox's and ours.
   * The container is killed: what is in it goes away for good anyway.
   */
  async remove(id: string): Promise<void> {
    const name = thingName(id);
    if (await this.#ownContainer(id)) {
      await engineFind(`remove the container ${name}`, () =>
        this.#docker.getContainer(name).remove({ force: true, v: true }),
      );
    }
    if (await this.#ownNetwork(id)) {
      await engineFind(`remove the network ${name}`, () => this.#docker.getNetwork(name).remove());
    }
  }

  /** Containers and networks that carry our labels. */
  async inventory(): Promise<EngineInventory> {
    const label = [`${labelNames.installation}=${this.#installation}`];
    const [containers, networks] = await engineCall("list Berth's containers", () =>
      Promise.all([
        this.#docker.listContainers({ all: true, filters: { label } }),
        this.#docker.listNetworks({ filters: { label } }),
      ]),
    );
    const found: EngineInventory = {
      containers: new Map(),
      networks: new Set(),
      bridge: networks.some(({ Name }) => Name === this.#bridge.name),
    };
    for (const { Labels, State, NetworkSettings } of containers) {
      const id = Labels[labelNames.sandbox];
      const connected = Object.keys(NetworkSettings.Networks).length > 0;
      if (id) found.containers.set(id, { running: State === "running", connected });
    }
    for (const { Labels } of networks) {
      const id = Labels?.[labelNames.sandbox];
      if (id) found.networks.add(id);
    }
    return found;
  }

  /** First uid and address of every sandbox with uids of its own, another Berth's on this engine included. */
  async holdings(): Promise<{ uidBase: number; address: string | undefined }[]> {
    const containers = await engineCall("list what sandboxes hold", () =>
      this.#docker.listContainers({ all: true, filters: { label: [labelNames.uidBase] } }),
    );
    return containers.map(({ Labels, NetworkSettings }) => {
      const [network] = Object.values(NetworkSettings.Networks);
      // The first is what was asked for, and all there is of a container that does not run.
      const asked = (network?.IPAMConfig as { IPv4Address?: string } | null | undefined)
        ?.IPv4Address;
      return { uidBase: Number(Labels[labelNames.uidBase]), address: asked ?? network?.IPAddress };
    });
  }

  /** What the sandbox as a whole uses now: its outer container's cgroup. */
  async usage(id: string): Promise<EngineUsage> {
    const stats = await engineCall(`read the usage of sandbox ${id}`, () =>
      this.#docker.getContainer(thingName(id)).stats({ stream: false, "one-shot": true }),
    );
    return usageOf(stats);
  }

  /** How the kernel knows the sandbox's container. */
  async facts(id: string): Promise<ContainerFacts> {
    const found = await this.#ownContainer(id);
    if (!found) throw new BerthError("ENGINE_FAILED", `sandbox ${id} has no container`);
    return { containerId: found.Id, pid: found.State.Pid };
  }

  /** Calls back whenever a sandbox's container stops, until the returned function is called. */
  watch(onStopped: (id: string) => void): () => void {
    return followDeaths(this.#streams, this.#installation, onStopped, this.#log);
  }

  async #settle(found: ContainerInspectInfo, { id, limits }: { id: string; limits: Limits }) {
    if (hasLimits(found.HostConfig, limits)) return;
    await updateLimits(this.#docker, thingName(id), limits);
  }

  async #ownContainer(id: string): Promise<ContainerInspectInfo | undefined> {
    const name = thingName(id);
    const found = await engineFind(`look at the container ${name}`, () =>
      this.#docker.getContainer(name).inspect(),
    );
    if (found) this.#mustBeOurs(`container ${name}`, id, found.Config.Labels);
    return found;
  }

  async #ownNetwork(id: string): Promise<boolean> {
    const name = thingName(id);
    const found = await engineFind(
      `look at the network ${name}`,
      () => this.#docker.getNetwork(name).inspect() as Promise<{ Labels?: Record<string, string> }>,
    );
    if (found) this.#mustBeOurs(`network ${name}`, id, found.Labels ?? {});
    return found !== undefined;
  }

  #mustBeOurs(thing: string, id: string, labels: Record<string, string>): void {
    const ours =
      labels[labelNames.sandbox] === id && labels[labelNames.installation] === this.#installation;
    if (ours) return;
    throw new BerthError(
      "ENGINE_FAILED",
      `the ${thing} is not of this Berth (its labels say otherwise) and is left alone; rename or remove it by hand`,
    );
  }

  async #startFailed(id: string, why: string): Promise<BerthError> {
    const lines = await lastLogLines(this.#docker, thingName(id));
    const told = lines ? `; its last lines:\n${lines}` : "";
    return new BerthError(
      "ENGINE_START_FAILED",
      `the engine of sandbox ${id} did not start: ${why}${told}`,
    );
  }

  async #driver(): Promise<string> {
    this.#cgroupDriver ??= (
      (await engineCall("ask the engine for its cgroup driver", () => this.#docker.info())) as {
        CgroupDriver: string;
      }
    ).CgroupDriver;
    return this.#cgroupDriver;
  }
}
