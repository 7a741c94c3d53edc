import type { ContainerCreateOptions, HostConfig, NetworkCreateOptions } from "dockerode";
import { installationLabel } from "../lib/installation.js";
import type { Launch, NetworkLaunch } from "../lib/model.js";
import { limitsConfig } from "./limits.js";

/** Labels by which Berth knows its own; every deletion checks them again. */
export const labelNames = {
  sandbox: "berth.sandbox",
  user: "berth.user",
  name: "berth.name",
  /** First host uid of a `userns` sandbox, whichever Berth's it is. */
  uidBase: "berth.uids",
  /** Which Berth of this engine: two with different data directories leave each other's alone. */
  installation: installationLabel,
} as const;

/** Name of a sandbox's container and network. */
export const thingName = (id: string): string => `berth-${id}`;

/** Paths inside the sandbox; images/dind/entrypoint knows the same. */
const inside = { data: "/data", certs: "/berth/certs", preload: "/preload" };

const certFiles = ["ca.pem", "server-cert.pem", "server-key.pem"];

export function labelsOf(launch: NetworkLaunch, installation: string): Record<string, string> {
  return {
    [labelNames.sandbox]: launch.id,
    [labelNames.user]: launch.user,
    [labelNames.name]: launch.name,
    [labelNames.installation]: installation,
  };
}

/** The bridge that all `userns` sandboxes of one Berth share. */
export function bridgeOptions(
  bridge: { name: string; subnet: string },
  installation: string,
): NetworkCreateOptions {
  return {
    Name: bridge.name,
    Driver: "bridge",
    IPAM: { Driver: "default", Config: [{ Subnet: bridge.subnet }] },
    Options: {
      "com.docker.network.bridge.name": bridge.name,
      // Sandboxes have nothing to say to each other; their own firewalls hold that too.
      "com.docker.network.bridge.enable_icc": "false",
    },
    Labels: { [labelNames.installation]: installation },
  };
}

/** A bridge of the sandbox's own, with just enough addresses for it. */
export function networkOptions(launch: NetworkLaunch, installation: string): NetworkCreateOptions {
  return {
    Name: thingName(launch.id),
    Driver: "bridge",
    // An explicit subnet: the engine's default pools hold about 30 networks.
    IPAM: { Driver: "default", Config: [{ Subnet: launch.subnet }] },
    // 14 characters of the 15 an interface name may have.
    Options: { "com.docker.network.bridge.name": thingName(launch.id) },
    Labels: labelsOf(launch, installation),
  };
}

/**
 * The outer container of a sandbox.
 * @param host.cgroupParent a slice's name with the systemd cgroup driver, a path with cgroupfs
 * @param host.openFiles RLIMIT_NOFILE, soft and hard
 * @param host.network the engine's network that it joins
 */
export function containerOptions(
  launch: Launch,
  installation: string,
  {
    cgroupParent,
    openFiles,
    network,
  }: { cgroupParent: string; openFiles: number; network: string },
): ContainerCreateOptions & { name: string } {
  const name = thingName(launch.id);
  // @types/dockerode lacks CgroupnsMode (Engine API since 1.41).
  const hostConfig: HostConfig & { CgroupnsMode: "private" } = {
    // Both isolations: the entrypoint needs real root to build the sandbox's world.
    Privileged: true,
    // Nothing is written outside the disk; /run and /tmp are the entrypoint's own tmpfs.
    ReadonlyRootfs: true,
    CgroupParent: cgroupParent,
    CgroupnsMode: "private",
    OomScoreAdj: 500,
    // A restart by the engine would re-create the slice without its limits: Berth starts sandboxes.
    RestartPolicy: { Name: "no" },
    ...limitsConfig(launch.limits),
    Ulimits: [
      { Name: "nofile", Soft: openFiles, Hard: openFiles },
      { Name: "core", Soft: 0, Hard: 0 },
    ],
    // File by file: root inside may make a mounted directory writable, and put things there for us to find.
    Binds: [
      `${launch.diskDir}:${inside.data}`,
      ...certFiles.map((file) => `${launch.certsDir}/${file}:${inside.certs}/${file}:ro`),
      ...(launch.preloadDir === undefined ? [] : [`${launch.preloadDir}:${inside.preload}:ro`]),
    ],
    LogConfig: { Type: "json-file", Config: { "max-size": "1m", "max-file": "2" } },
    NetworkMode: network,
  };
  return {
    name,
    Image: launch.image,
    Hostname: launch.name,
    Labels: {
      ...labelsOf(launch, installation),
      ...(launch.uidBase === undefined ? {} : { [labelNames.uidBase]: String(launch.uidBase) }),
    },
    Env: Object.entries(launch.environment).map(([key, value]) => `${key}=${value}`),
    HostConfig: hostConfig,
    NetworkingConfig: {
      EndpointsConfig: { [network]: { IPAMConfig: { IPv4Address: launch.address } } },
    },
    // Above the 10 s that inner containers may take to stop.
    StopTimeout: 20,
  };
}

/** The cgroup parent as the engine's cgroup driver wants it. */
export function cgroupParent(slice: string, driver: string): string {
  return driver === "systemd" ? slice : `/berth.slice/${slice}`;
}
