import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { CliDeps } from "./cli/deps.js";
import type { LocalVerbs } from "./cli/local.js";
import { runCli } from "./cli/run.js";
import type { Config } from "./config.js";
import type { Log } from "./lib/log.js";

// The way in: reads the process's environment (nobody else does) and gives the CLI what it needs.
// Parts are loaded when a verb asks for them, so that `berth list` starts without the daemon's code.

const { env } = process;
const projectDir = fileURLToPath(new URL("..", import.meta.url));
const { version } = JSON.parse(readFileSync(join(projectDir, "package.json"), "utf8")) as {
  version: string;
};
const busAddress = env["DBUS_SYSTEM_BUS_ADDRESS"] ?? "unix:path=/run/dbus/system_bus_socket";

/** Loads what every local verb needs: the configuration, and a log at its level. */
async function configured(path?: string): Promise<{ config: Config; log: Log }> {
  const [{ loadConfig }, { createLog }] = await Promise.all([
    import("./config.js"),
    import("./lib/log.js"),
  ]);
  const config = await loadConfig(path);
  return { config, log: createLog(env["BERTH_LOG_LEVEL"] ?? config.logLevel) };
}

/** Verbs beside `serve` speak through their results; their log only warns. */
async function configuredQuietly(path?: string) {
  const { config, log } = await configured(path);
  log.level = env["BERTH_LOG_LEVEL"] ?? "warn";
  return { config, log };
}

const local: LocalVerbs = {
  async serve(options) {
    const { config, log } = await configured(options.config);
    const { serve } = await import("./serve.js");
    const stopped = new Promise((resolve) => {
      process.once("SIGTERM", resolve).once("SIGINT", resolve);
    });
    const notifySocket = env["NOTIFY_SOCKET"];
    await serve(config, { version, log, busAddress, notifySocket, stopped });
  },
  async reap(options) {
    const { config, log } = await configuredQuietly(options.config);
    const { reapOnce } = await import("./reap-once.js");
    return reapOnce(config, { log, busAddress }, options.dryRun);
  },
  async clearHost({ purge, dryRun, config: path }) {
    const { config, log } = await configuredQuietly(path);
    const { clearHostOnce } = await import("./clear-host-once.js");
    return clearHostOnce(config, { log, busAddress }, { purge, dryRun });
  },
  async doctor(options) {
    const { config, log } = await configuredQuietly(options.config);
    const { examine } = await import("./doctor/doctor.js");
    const { sandboxes } = options;
    return examine(config, { version, busAddress, sandboxes, log });
  },
  image: {
    async build({ config: path, profile, rebuild, base, mirror }, onProgress, signal) {
      const { config, log } = await configuredQuietly(path);
      if (base !== undefined) config.image.base = base;
      if (mirror !== undefined) config.image.mirror = mirror;
      const { BuildNotes } = await import("./image/build-notes.js");
      return new BuildNotes({ dataDir: config.dataDir, log }).during(profile, async (note) => {
        const tell: typeof note = (progress) => {
          onProgress(progress);
          note(progress);
        };
        const options = { rebuild, onProgress: tell, signal };
        if (profile === undefined) return (await images(config, log)).build(options);
        return (await preloads(config, log)).build(profile, options);
      });
    },
    async list(options) {
      const { config, log } = await configuredQuietly(options.config);
      const current = await (await preloads(config, log)).currentTags();
      return { images: await (await images(config, log)).list(current) };
    },
    async remove(tag, options) {
      const { config, log } = await configuredQuietly(options.config);
      await (await images(config, log)).remove(tag);
      await (await preloads(config, log)).forget(tag);
    },
  },
};

async function images(config: Config, log: Log) {
  const { buildImages } = await import("./assemble.js");
  return buildImages(config, log);
}

async function preloads(config: Config, log: Log) {
  const { buildPreloads } = await import("./assemble.js");
  return buildPreloads(config, log);
}

const hostScript = join(projectDir, "scripts", "host");

/** Runs this very command inside the embedded host, as if it had been typed there. */
async function hostExec(argv: string[]): Promise<number> {
  const { execa } = await import("execa");
  const result = await execa(hostScript, ["exec", "--", "/opt/berth/bin/berth", ...argv], {
    stdio: "inherit",
    reject: false,
  });
  return result.exitCode ?? 1;
}

function onInterrupt(handler: () => void): () => void {
  process.on("SIGINT", handler).on("SIGTERM", handler);
  return () => process.off("SIGINT", handler).off("SIGTERM", handler);
}

/**
 * A name that is looked up, for one, cannot be called off, nor a file that a dead server does not give. For a thread
 * that waits in such a request process.exit() waits too: then nothing but a signal ends the process.
 */
function endWithin(ms: number): void {
  const end = () => {
    const waits = process
      .getActiveResourcesInfo()
      .some((name) => /^(FSReq|GetAddrInfo)/.test(name));
    if (waits) process.kill(process.pid, "SIGKILL");
    else process.exit();
  };
  setTimeout(end, ms).unref();
}

const uid = process.getuid?.();
const deps: CliDeps = {
  version,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  cwd: process.cwd(),
  home: homedir(),
  ...(uid === undefined ? {} : { uid }),
  now: () => new Date(),
  connection: {
    ...(env["BERTH_URL"] ? { url: env["BERTH_URL"] } : {}),
    ...(env["BERTH_TOKEN"] ? { token: env["BERTH_TOKEN"] } : {}),
    ...(env["BERTH_CA"] ? { caFile: env["BERTH_CA"] } : {}),
    socket: env["BERTH_SOCKET"] ?? "/run/berth/berth.sock",
    embeddedStateFile: "/run/berth-host/state.json",
  },
  local,
  ...(existsSync(hostScript) ? { hostExec } : {}),
  onInterrupt,
  endWithin,
};

process.exitCode = await runCli(process.argv.slice(2), deps);
