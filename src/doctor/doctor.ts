import { join } from "node:path";
import { publicHostsOf } from "../assemble.js";
import type { DoctorReport, Finding } from "../cli/local.js";
import type { Config } from "../config.js";
import { answersAt } from "../lib/answers-at.js";
import { isEmbeddedHost } from "../lib/host-facts.js";
import type { Log } from "../lib/log.js";
import {
  decideAdvisories,
  dockerPackages,
  lookAtEngineDirectory,
  readPatches,
} from "./advisories.js";
import { decideCapacity, readCapacity } from "./capacity.js";
import { cgroupVersion, lookAtCgroups, readCgroups } from "./cgroups.js";
import { lookAtClock } from "./clock.js";
import { lookAtAppArmor, lookAtNestedNamespaces, lookAtSelinux } from "./confinement.js";
import {
  answers,
  askEngine,
  decideDrivers,
  decideEngine,
  lookAtSwap,
  type EngineFacts,
} from "./engine.js";
import { inOrder, look, warning, type Found } from "./findings.js";
import { checkHttps, checkSignIn } from "./https.js";
import { lookAtImage } from "./images.js";
import { lookAtIo } from "./io.js";
import * as kernel from "./kernel.js";
import { lookAtLimits } from "./limits.js";
import { thisMachine as machine } from "./machine.js";
import { lookAtForwarding, lookAtPool } from "./network.js";
import { lookAtPorts } from "./ports.js";
import { lookAtErofs, lookAtPreloads } from "./preloads.js";
import { lookAtProgram, programs } from "./programs.js";
import { lookAtRecords } from "./records.js";
import { askDirectory, lookAtStorage } from "./storage.js";
import { activeUnits, lookAtCeiling, lookAtSystemd } from "./systemd.js";
import { decideRoot, lookAtSysResource, lookAtUids } from "./uids.js";

export interface DoctorOptions {
  version: string;
  /** D-Bus address of systemd's bus. */
  busAddress: string;
  /** The number of sandboxes that the kernel's limits are held against; else what host and configuration hold. */
  sandboxes?: number | undefined;
  log: Log;
}

/** Looks at everything Berth needs of this host and says what to mend; changes nothing. */
export async function examine(config: Config, options: DoctorOptions): Promise<DoctorReport> {
  const socket = join(config.runDir, "berth.sock");
  // What these need is had before a check may wait for good for what does not answer.
  const [url, isEmbedded] = await Promise.all([urlOf(config), isEmbeddedHost()]);
  const findings = await lookAtAll(config, options, socket);
  return {
    ok: findings.every(({ status }) => status !== "failure"),
    version: options.version,
    url,
    socket,
    host: isEmbedded ? "embedded" : "local",
    findings,
    config,
  };
}

/** All at once, told in this order. */
async function lookAtAll(
  config: Config,
  { busAddress, sandboxes, log }: DoctorOptions,
  socket: string,
): Promise<Finding[]> {
  const asked = askEngine(config.engine.socket);
  // That systemd is silent is told by its own check.
  const services = activeUnits(busAddress, "*.service").catch(() => undefined);
  // Silence is one finding, not one of each that would have liked to know.
  const ofEngine = async (
    probe: (engine: EngineFacts) => Found | Promise<Found>,
  ): Promise<Found> => {
    const engine = await asked;
    return answers(engine) ? probe(engine) : [];
  };
  const unanswered = askDirectory(machine, config.dataDir);
  const inDirectory = async (probe: () => Found | Promise<Found>): Promise<Found> =>
    (await unanswered) ? [] : probe();
  const capacity = readCapacity(machine, config, sandboxes);
  const found = await Promise.all([
    look("root", () => decideRoot(process.getuid?.())),
    look("user namespaces", () => kernel.lookAtUserNamespaces(machine)),
    look("nested user namespaces", () => lookAtNestedNamespaces(machine)),
    look("overlayfs", () => kernel.lookAtOverlay(machine)),
    look("idmapped mounts", () => kernel.lookAtIdmappedMounts(machine)),
    look("erofs", () => lookAtErofs(machine)),
    look("seccomp", () => kernel.lookAtSeccomp(machine)),
    look("fuse", () => kernel.lookAtDevices(machine)),
    look("loop devices", () => kernel.lookAtLoopDevices(machine)),
    look("apparmor", () => lookAtAppArmor(machine)),
    look("selinux", () => lookAtSelinux(machine)),
    look("CAP_SYS_RESOURCE", () => lookAtSysResource()),
    look("uids", () => lookAtUids(machine, config.subordinateUids)),
    look("cgroups", () => lookAtCgroups(machine)),
    look("systemd", () => lookAtSystemd(busAddress)),
    look("berth.slice", () => lookAtCeiling(machine, busAddress)),
    look("engine", async () => decideEngine(await asked, config.engine.socket)),
    look("engine drivers", () => ofEngine(decideDrivers)),
    look("advisories", () =>
      ofEngine(async (engine) =>
        decideAdvisories({
          engine,
          firewalldIsActive: (await services)?.includes("firewalld.service") === true,
          isPatched: await readPatches(),
          fromDocker: await dockerPackages(machine),
        }),
      ),
    ),
    look("engine directory", () => lookAtEngineDirectory(machine)),
    look("swap", () => ofEngine((engine) => lookAtSwap(machine, engine))),
    look("dind image", () => ofEngine(() => lookAtImage(config, log))),
    look("preloads", () => ofEngine(() => lookAtPreloads(config, log))),
    ...programs.map((program) => look(program.name, () => lookAtProgram(program))),
    look(
      "data directory",
      async () => (await unanswered) ?? lookAtStorage(machine, config.dataDir),
    ),
    look("io", () => inDirectory(() => lookAtIo(machine, config))),
    look("records", () => inDirectory(() => lookAtRecords(config))),
    look("ports", () => lookAtPorts(machine, config)),
    look("network pool", () => inDirectory(() => lookAtPool(machine, config))),
    look("forwarding", async () => {
      const engine = await asked;
      const backend = answers(engine) ? engine.info.FirewallBackend?.Driver : undefined;
      return lookAtForwarding(machine, backend);
    }),
    look("clock", async () => {
      const dataDir = (await unanswered) ? undefined : config.dataDir;
      return lookAtClock(machine, dataDir, await services);
    }),
    look("capacity", async () => decideCapacity(await capacity)),
    look("limits", async () => {
      const version = cgroupVersion(await readCgroups(machine));
      return lookAtLimits(machine, config, { ...(await capacity), cgroupVersion: version });
    }),
    look("https", () => {
      const isInThere = config.listen.tls === "self";
      return isInThere ? inDirectory(() => checkHttps(config)) : checkHttps(config);
    }),
    look("sign-in", () => checkSignIn(config)),
    look("daemon", () => lookAtDaemon(socket)),
  ]);
  return found.flat();
}

/** The address of page and API, as others dial it. */
export async function urlOf(config: Config): Promise<string> {
  if (config.publicUrl) return config.publicUrl.origin;
  const { host, port, tls } = config.listen;
  const everywhere = host === "0.0.0.0" || host === "::";
  const name = everywhere ? (await publicHostsOf(config))[0] : host;
  return `${tls ? "https" : "http"}://${name?.includes(":") ? `[${name}]` : name}:${port}`;
}

async function lookAtDaemon(socket: string): Promise<Finding> {
  const check = "daemon";
  if (await answersAt(socket)) return inOrder(check, `answers at ${socket}`);
  return warning(check, {
    what: `does not answer at ${socket}`,
    why: "no sandbox can be made, nor comes back when its engine dies; berth-reap.timer still removes what has expired",
    fix: "systemctl start berth; journalctl -u berth -n 20",
  });
}
