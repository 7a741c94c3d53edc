import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { assemble, pageDir, signInSettingsOf, type Surroundings } from "./assemble.js";
import type { Config } from "./config.js";
import { buildApp } from "./http/app.js";
import { listen } from "./http/listen.js";
import { Metrics } from "./http/metrics.js";
import { SignIn } from "./http/sign-in/sign-in.js";
import { tlsOf } from "./https.js";
import { codeOf, messageOf } from "./lib/errors.js";
import { lockDataDirectory } from "./lib/lock.js";
import type { Log } from "./lib/log.js";
import type { Provisioner } from "./provisioner/provisioner.js";

export interface ServeOptions extends Surroundings {
  version: string;
  /** systemd's notification socket, when it started us (sd_notify(3)). */
  notifySocket: string | undefined;
  /** Resolves when the daemon is to end. */
  stopped: Promise<unknown>;
}

/** How long a daemon waits for a reap that is under way, in s: mostly it takes one or two. */
const reapWaitS = 10;

/** The timer's reap works by itself while there is no daemon, and may do so when one starts. */
async function lockAfterReap(dataDir: string, log: Log): ReturnType<typeof lockDataDirectory> {
  try {
    return await lockDataDirectory(dataDir);
  } catch (error) {
    if (codeOf(error) !== "ALREADY_RUNNING") throw error;
    log.warn(`waiting ${reapWaitS} s, should it be a reap: ${messageOf(error)}`);
    return lockDataDirectory(dataDir, reapWaitS);
  }
}

/** Runs the daemon until `stopped`. */
export async function serve(config: Config, options: ServeOptions): Promise<void> {
  const { log } = options;
  const { dataDir } = config;
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  await mkdir(config.runDir, { recursive: true, mode: 0o700 });
  const lock = await lockAfterReap(dataDir, log);
  const parts = await assemble(config, options);
  const { provisioner, records, users, keys, images, host, close } = parts;
  await records.load();
  await provisioner.incidents.load();
  await provisioner.certificates.load();
  await users.load();
  const metrics = new Metrics(provisioner, keys);
  const signIn = await SignIn.open({
    settings: await signInSettingsOf(config),
    users,
    dataDir,
    log,
  });
  const { version } = options;
  const app = buildApp({
    provisioner,
    users,
    signIn,
    metrics,
    host,
    images,
    version,
    pageDir,
    log,
  });
  const tls = await tlsOf(config, log);
  const { port } = config.listen;
  const address = { host: config.listen.host, port, ...(tls ? { tls } : {}) };
  const server = await listen(app, join(config.runDir, "berth.sock"), address, log);
  keys.start();
  const stopUpkeep = startUpkeep(provisioner, config.reapEvery, log);
  log.info({ host: address.host, port, sandboxes: records.all().length }, "berth is ready");
  if (options.notifySocket !== undefined) {
    await notifyReady(options.notifySocket).catch((error: unknown) => {
      log.warn({ err: error }, "systemd could not be told that berth is ready");
    });
  }

  await options.stopped;
  log.info("berth is shutting down");
  stopUpkeep();
  const closing = server.close();
  await provisioner.close();
  await closing;
  await users.close();
  close();
  await lock.release();
}

/** Repairs now and ever again, starts sandboxes that stop by themselves, and sees what befalls them. */
function startUpkeep(provisioner: Provisioner, reapEveryMs: number, log: Log): () => void {
  const failed = (error: unknown) => {
    log.error({ err: error }, "repairs could not be made; the next run tries again");
  };
  provisioner.start().catch(failed);
  const timer = setInterval(() => {
    // One that still runs looks at everything there is.
    if (!provisioner.isReaping) provisioner.reap({ dryRun: false }).catch(failed);
  }, reapEveryMs);
  const stops = [provisioner.keepAlive(), provisioner.observe()];
  return () => {
    clearInterval(timer);
    for (const stop of stops) stop();
  };
}

/** Node has no datagram sockets of the unix family, so systemd's own tool brings the word. */
async function notifyReady(notifySocket: string): Promise<void> {
  await execa("systemd-notify", ["--ready"], { env: { NOTIFY_SOCKET: notifySocket } });
}
