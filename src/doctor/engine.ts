import { z } from "zod";
import type { Finding } from "../cli/local.js";
import { connectDocker } from "../lib/engine-call.js";
import { messageOf } from "../lib/errors.js";
import { failure, faultsOr, inOrder, warning } from "./findings.js";
import type { Machine } from "./machine.js";

/** The oldest engine whose inner processes keep the daemon's oom_score_adj. */
const oldestEngine = 25;

/** An engine that takes longer to say who it is has something else to mend first. */
const callTimeoutMs = 15_000;

// Engine API, SystemVersion and SystemInfo. What another kind of engine leaves out is empty here.
const versionSchema = z.object({
  Version: z.string(),
  Components: z.array(z.object({ Name: z.string(), Version: z.string() })).default([]),
});
const infoSchema = z.object({
  Driver: z.string().default(""),
  CgroupDriver: z.string().default(""),
  DockerRootDir: z.string().default(""),
  OperatingSystem: z.string().default(""),
  SecurityOptions: z.array(z.string()).nullish(),
  MemoryLimit: z.boolean().default(true),
  SwapLimit: z.boolean().default(true),
  PidsLimit: z.boolean().default(true),
  CpuCfsQuota: z.boolean().default(true),
  /** Engines 28 and newer tell it: `iptables`, `nftables`, either with `+firewalld`. */
  FirewallBackend: z.object({ Driver: z.string() }).nullish(),
});

/** What an engine says of itself. */
export interface EngineFacts {
  version: string;
  /** Versions of its parts, by name: `runc`, `containerd`, `Podman Engine`. */
  components: Record<string, string>;
  info: z.output<typeof infoSchema>;
}

/** `silent`: why nothing was heard of it. */
export type Engine = EngineFacts | { silent: string };

export const answers = (engine: Engine): engine is EngineFacts => "version" in engine;

export async function askEngine(socket: string): Promise<Engine> {
  try {
    const docker = connectDocker(socket, callTimeoutMs);
    const [version, info] = await Promise.all([
      docker.version(),
      docker.info() as Promise<unknown>,
    ]);
    return engineFacts(version, info);
  } catch (error) {
    return { silent: messageOf(error) };
  }
}

/** @throws when it is no answer of an engine */
export function engineFacts(version: unknown, info: unknown): EngineFacts {
  const { Version, Components } = versionSchema.parse(version);
  return {
    version: Version,
    components: Object.fromEntries(Components.map(({ Name, Version }) => [Name, Version])),
    info: infoSchema.parse(info),
  };
}

const check = "engine";
const wanted = "Berth wants a Docker Engine that runs as root of this host itself";

/** Whether Berth can work with this engine at all. */
export function decideEngine(engine: Engine, socket: string): Finding {
  if (!answers(engine)) {
    return failure(check, {
      what: `no answer at ${socket}: ${engine.silent}; nothing else of it was looked at`,
      why: "every sandbox is a container of the host's Docker Engine",
      fix: "systemctl start docker; where its socket is elsewhere, set engine.socket in the configuration",
    });
  }
  const { version, components, info } = engine;
  const strange = strangeKind(engine);
  if (strange) return failure(check, strange);
  if (!(Number.parseInt(version) >= oldestEngine)) {
    return failure(check, {
      what: `Docker Engine ${version}, older than ${oldestEngine}`,
      why: "older ones let containers inside ask for an OOM score below their engine's: the kernel would then kill the host's processes first",
      fix: "install Docker Engine 25 or newer: Debian 13's docker.io is 26.1, docker.com has packages for others",
    });
  }
  const parts = ["containerd", "runc"].flatMap((name) =>
    components[name] === undefined ? [] : [`${name} ${components[name]}`],
  );
  const what = `Docker Engine ${[version, ...parts].join(", ")}; ${info.Driver}, cgroup driver ${info.CgroupDriver}`;
  return inOrder(check, what);
}

/** Engines that answer as Docker does and are none that can hold sandboxes. */
function strangeKind({ components, info }: EngineFacts) {
  const options = info.SecurityOptions ?? [];
  const has = (option: string) => options.some((text) => text.split(",").includes(option));
  if (Object.keys(components).some((name) => name.startsWith("Podman"))) {
    return {
      what: "Podman answers there, not Docker",
      why: `${wanted}; Podman knows no cgroup parent and no bridge as Berth asks for them`,
      fix: "apt-get install docker.io; engine.socket: /run/docker.sock in the configuration",
    };
  }
  if (info.OperatingSystem.startsWith("Docker Desktop")) {
    return {
      what: "it is Docker Desktop's, in a virtual machine of its own",
      why: `${wanted}: disks, slices and firewall of this host mean nothing in there`,
      fix: "docker context use default; apt-get install docker.io; engine.socket: /run/docker.sock",
    };
  }
  if (has("name=rootless")) {
    return {
      what: "it runs rootless, as a user of the host",
      why: `${wanted}: a rootless one can neither give each sandbox uids of its own nor see the disks that root mounts`,
      fix: "systemctl enable --now docker; engine.socket: /run/docker.sock in the configuration",
    };
  }
  if (has("name=userns")) {
    return {
      what: "it maps all containers into one user namespace (userns-remap)",
      why: "it refuses privileged containers then, as which sandboxes start before they shut themselves in: each under uids of its own, which is more than userns-remap does",
      fix: "remove userns-remap from /etc/docker/daemon.json; systemctl restart docker",
    };
  }
  if (info.DockerRootDir.startsWith("/var/snap/")) {
    return {
      what: `it is a snap (data in ${info.DockerRootDir})`,
      why: "a snap sees only some directories of the host: disks and certificates below dataDir and runDir are not among them",
      fix: "snap remove docker; apt-get install docker.io",
    };
  }
  return undefined;
}

/** Drivers that containers of sandboxes were seen to work on. */
const triedDrivers = ["overlay2", "overlayfs"];

/** How the engine is set up, for better or worse. */
export function decideDrivers({ info }: EngineFacts): Finding[] {
  const check = "engine drivers";
  const faults: Finding[] = [];
  if (!triedDrivers.includes(info.Driver)) {
    faults.push(
      warning(check, {
        what: `the storage driver is ${info.Driver || "unknown"}`,
        why:
          info.Driver === "vfs"
            ? "vfs copies the whole image, some 400 MB, for each sandbox"
            : "Berth was tried with overlay2 and overlayfs alone",
        fix: '"storage-driver": "overlay2" in /etc/docker/daemon.json; systemctl restart docker; berth image build',
      }),
    );
  }
  if (info.CgroupDriver === "cgroupfs") {
    faults.push(
      warning(check, {
        what: "the cgroup driver is cgroupfs, beside systemd",
        why: "two then manage the tree in which the limits are: what the engine makes in a slice, systemd does not know and may undo",
        fix: '"exec-opts": ["native.cgroupdriver=systemd"] in /etc/docker/daemon.json; systemctl restart docker',
      }),
    );
  }
  const cannot = [
    info.MemoryLimit ? [] : ["memory"],
    info.CpuCfsQuota ? [] : ["processor time"],
    info.PidsLimit ? [] : ["processes"],
  ].flat();
  if (cannot.length > 0 || info.CgroupDriver === "none") {
    faults.push(
      failure(check, {
        what: `the engine cannot limit ${cannot.join(", ") || "anything (cgroup driver none)"}`,
        why: "containers of sandboxes have limits of their own beside their user's slice",
        fix: "docker info | grep WARNING says what the kernel lacks; see cgroups",
      }),
    );
  }
  return faultsOr(faults, inOrder(check, `${info.Driver}, ${info.CgroupDriver}, all limits`));
}

/** Without its being counted, swap is a second memory that no limit of a sandbox bounds. */
export async function lookAtSwap(machine: Machine, { info }: EngineFacts): Promise<Finding> {
  const swaps = (await machine.read("/proc/swaps")) ?? "";
  return decideSwap(info.SwapLimit, swaps.split("\n").length > 1);
}

export function decideSwap(isCounted: boolean, isThere: boolean): Finding {
  const check = "swap";
  if (!isThere) return inOrder(check, "the host has none");
  if (isCounted) return inOrder(check, "counted: sandboxes get none");
  return warning(check, {
    what: "the host has swap, and the kernel does not count who uses it",
    why: "sandboxes may swap without bound, which slows down everybody",
    fix: "boot with swapaccount=1 (/etc/default/grub, update-grub), or turn it off: swapoff -a",
  });
}
