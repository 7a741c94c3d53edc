import type { Parts } from "../../src/provisioner/parts.js";
import { containerIdOf, type FakeHost } from "./host.js";

/** The host's Docker Engine, as the fake host has it. */
export function fakeEngine(host: FakeHost): Parts["engine"] {
  return {
    prepareBridge: () => host.call("engine.prepareBridge", () => void (host.bridge = true)),
    removeBridge: () => host.call("engine.removeBridge", () => void (host.bridge = false)),
    holdings: () => host.call("engine.holdings", () => host.strangersHoldings),
    prepareNetwork: ({ id, isolation }) =>
      host.call("engine.prepareNetwork", () => {
        if (isolation === "userns") host.bridge = true;
        else host.networks.add(id);
      }),
    prepareContainer: (launch) =>
      host.call("engine.prepareContainer", () => {
        host.disconnected.delete(launch.id);
        const there = host.containers.get(launch.id);
        if (there) there.launch.limits = launch.limits;
        else host.containers.set(launch.id, { running: false, launch: { ...launch }, starts: 0 });
      }),
    setLimits: (id, limits) =>
      host.call("engine.setLimits", () => {
        if (!host.limit(id, limits)) host.containerOf(id);
      }),
    settleLimits: (id, limits) => host.call("engine.settleLimits", () => host.limit(id, limits)),
    start: (id) =>
      host.call("engine.start", () => {
        const container = host.containerOf(id);
        if (!host.slices.has(container.launch.user)) throw new Error("started without a slice");
        if (!host.disks.get(id)?.mounted) throw new Error("started without its disk");
        container.running = true;
        container.starts++;
      }),
    waitReady: (id, _peer, signal) =>
      host.call("engine.waitReady", () => {
        signal.throwIfAborted();
        host.containerOf(id);
      }),
    remove: (id) =>
      host.call("engine.remove", () => {
        host.containers.delete(id);
        host.networks.delete(id);
      }),
    usage: () => host.call("engine.usage", () => host.used),
    facts: (id) =>
      host.call("engine.facts", () => {
        const { running, starts } = host.containerOf(id);
        return { containerId: containerIdOf(id), pid: running ? 1000 + starts : 0 };
      }),
    inventory: () =>
      host.call("engine.inventory", () => ({
        containers: new Map(
          [...host.containers].map(([id, { running }]) => [
            id,
            { running, connected: !host.disconnected.has(id) },
          ]),
        ),
        networks: new Set(host.networks),
        bridge: host.bridge,
      })),
    watch: (onStopped) => {
      host.deathListeners.add(onStopped);
      return () => host.deathListeners.delete(onStopped);
    },
  };
}
