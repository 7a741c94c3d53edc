import { access, readFile, statfs } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { buildImages, publicHostsOf } from "../assemble.js";
import type { DoctorReport, Finding } from "../cli/local.js";
import type { Config } from "../config.js";
import { examineIsolation } from "./isolation.js";
import { examinePreloads } from "./preloads.js";
import { connectDocker } from "../lib/engine-call.js";
import { checkHttps, checkSignIn } from "./https.js";
import { answersAt } from "../lib/answers-at.js";
import { ignoring, messageOf } from "../lib/errors.js";
import { isEmbeddedHost } from "../lib/host-facts.js";
import type { Log } from "../lib/log.js";
import { formatSize } from "../lib/units.js";
import { DbusSystemd } from "../slice/systemd.js";

/** The oldest engine whose inner processes keep the daemon's oom_score_adj. */
const oldestEngine = 25;

/** Looks at everything Berth needs of this host and says what to mend. */
export async function examine(
  config: Config,
  options: { version: string; busAddress: string; searchPath: string; log: Log },
): Promise<DoctorReport> {
  const socket = join(config.runDir, "berth.sock");
  const findings = await Promise.all([
    checkCgroups(),
    checkSystemd(options.busAddress),
    checkCeiling(),
    checkEngine(config),
    checkImage(config, options.log),
    examinePreloads(config, options.log),
    checkLoopDevices(),
    ...programs.map((program) => checkProgram(program, options.searchPath)),
    checkSpace(config.dataDir),
    checkHttps(config),
    checkPortRanges(config),
    checkDaemon(socket),
    examineIsolation(config.subordinateUids),
  ]).then((found) => [...found.flat(), checkSignIn(config)]);
  return {
    ok: findings.every(({ status }) => status !== "failure"),
    version: options.version,
    url: await urlOf(config),
    socket,
    host: (await isEmbeddedHost()) ? "embedded" : "local",
    findings,
    config,
  };
}

/** The address of page and API, as others dial it. */
export async function urlOf(config: Config): Promise<string> {
  if (config.publicUrl) return config.publicUrl.origin;
  const { host, port, tls } = config.listen;
  const everywhere = host === "0.0.0.0" || host === "::";
  const name = everywhere ? (await publicHostsOf(config))[0] : host;
  return `${tls ? "https" : "http"}://${name?.includes(":") ? `[${name}]` : name}:${port}`;
}

async function checkCgroups(): Promise<Finding> {
  const check = "cgroups";
  const mounts = await readFile("/proc/self/mountinfo", "utf8");
  if (/ \/sys\/fs\/cgroup \S+.* - cgroup2 /.test(mounts)) {
    return { check, status: "ok", what: "version 2" };
  }
  const missing = ["memory", "cpu", "pids"].filter(
    (controller) => !new RegExp(` - cgroup \\S+ \\S*\\b${controller}\\b`).test(mounts),
  );
  if (missing.length === 0) return { check, status: "ok", what: "version 1 (memory, cpu, pids)" };
  return {
    check,
    status: "failure",
    what: `no cgroup controller for ${missing.join(", ")}: limits could not hold`,
    fix: "boot with systemd.unified_cgroup_hierarchy=1",
  };
}

async function checkSystemd(address: string): Promise<Finding> {
  const check = "systemd";
  const systemd = new DbusSystemd({ address });
  try {
    await systemd.listActive("berth.slice");
    return { check, status: "ok", what: `answers at ${address}` };
  } catch (error) {
    return {
      check,
      status: "failure",
      what: messageOf(error),
      fix: "systemctl status dbus; on a machine without systemd: scripts/host up",
    };
  } finally {
    systemd.close();
  }
}

/** Without its unit file systemd makes berth.slice by itself, with no limit, and says nothing. */
async function checkCeiling(): Promise<Finding> {
  const check = "berth.slice";
  for (const dir of ["/etc/systemd/system", "/usr/lib/systemd/system"]) {
    const file = join(dir, "berth.slice");
    if (await exists(file))
      return { check, status: "ok", what: `${file} bounds all users together` };
  }
  return {
    check,
    status: "warning",
    what: "the unit berth.slice is not installed: nothing bounds all users together",
    fix: "scripts/install, or copy slices/berth.slice to /etc/systemd/system; systemctl daemon-reload",
  };
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

async function checkEngine(config: Config): Promise<Finding> {
  const check = "engine";
  try {
    const docker = connectDocker(config.engine.socket);
    const [{ Version }, info] = await Promise.all([
      docker.version(),
      docker.info() as Promise<{ CgroupDriver: string; Driver: string }>,
    ]);
    const what = `Docker Engine ${Version}, ${info.Driver}, cgroup driver ${info.CgroupDriver}`;
    if (Number.parseInt(Version) >= oldestEngine) return { check, status: "ok", what };
    return {
      check,
      status: "failure",
      what: `${what}: older than ${oldestEngine}`,
      fix: "install Docker Engine 25 or newer (Debian 13's docker.io is 26.1)",
    };
  } catch (error) {
    return {
      check,
      status: "failure",
      what: `no answer at ${config.engine.socket}: ${messageOf(error)}`,
      fix: "systemctl start docker, or set engine.socket in the configuration",
    };
  }
}

async function checkImage(config: Config, log: Log): Promise<Finding> {
  const check = "dind image";
  try {
    return { check, status: "ok", what: await buildImages(config, log).require() };
  } catch (error) {
    return { check, status: "failure", what: messageOf(error), fix: "berth image build" };
  }
}

async function checkLoopDevices(): Promise<Finding> {
  const check = "loop devices";
  if (await exists("/dev/loop-control"))
    return { check, status: "ok", what: "/dev/loop-control is there" };
  return {
    check,
    status: "failure",
    what: "there is no /dev/loop-control: sandboxes get no disks",
    fix: "modprobe loop",
  };
}

const programs = [
  { name: "nft", why: "forwards ports", package: "nftables", status: "failure" },
  { name: "mkfs.ext4", why: "formats disks", package: "e2fsprogs", status: "failure" },
  { name: "resize2fs", why: "enlarges disks", package: "e2fsprogs", status: "warning" },
  { name: "iptables", why: "lets forwarded ports through", package: "iptables", status: "failure" },
  { name: "mmdebstrap", why: "builds the dind image", package: "mmdebstrap", status: "warning" },
] as const;

async function checkProgram(program: (typeof programs)[number], path: string): Promise<Finding> {
  const check = program.name;
  for (const folder of [...path.split(delimiter), "/usr/sbin", "/sbin"]) {
    const file = join(folder, program.name);
    if (await exists(file)) return { check, status: "ok", what: `${file} ${program.why}` };
  }
  return {
    check,
    status: program.status,
    what: `${program.name}, which ${program.why}, is not installed`,
    fix: `apt-get install ${program.package}`,
  };
}

/** Below this, creations will soon fail. */
const littleSpace = 2 * 1024 ** 3;

async function checkSpace(dataDir: string): Promise<Finding> {
  const check = "space";
  const there = (await ignoring(statfs(dataDir), "ENOENT")) ?? (await statfs("/"));
  const free = there.bavail * there.bsize;
  const what = `${formatSize(free)} free below ${dataDir}`;
  if (free >= littleSpace) return { check, status: "ok", what };
  return { check, status: "warning", what, fix: "free some space, or move dataDir" };
}

async function checkPortRanges(config: Config): Promise<Finding> {
  const check = "ports";
  const text = await readFile("/proc/sys/net/ipv4/ip_local_port_range", "utf8");
  const [from = 0, to = 0] = text.trim().split(/\s+/).map(Number);
  const { engine, user } = config.ports;
  const ranges = `engines ${engine.from}-${engine.to}, published ${user.from}-${user.to}`;
  const clash = [engine, user].some((range) => range.from <= to && from <= range.to);
  if (!clash) return { check, status: "ok", what: ranges };
  return {
    check,
    status: "warning",
    what: `${ranges} overlap the host's own outgoing ports (${from}-${to}), so some may be taken at times`,
    fix: "choose ports.engine and ports.user below them, or change net.ipv4.ip_local_port_range",
  };
}

async function checkDaemon(socket: string): Promise<Finding> {
  const check = "daemon";
  if (await answersAt(socket)) return { check, status: "ok", what: `answers at ${socket}` };
  return {
    check,
    status: "warning",
    what: `does not answer at ${socket}`,
    fix: "systemctl start berth",
  };
}
