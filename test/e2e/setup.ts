import {
  berth,
  hostScript,
  isEmbedded,
  ok,
  onHost,
  pluginDir,
  projectDir,
  run,
} from "./support.js";
import { existsSync } from "node:fs";
import { join } from "node:path";

/**
 * Before all end-to-end suites: a host with this build of Berth, its image, and docker's plugins.
 * BERTH_E2E_HOST_READY=1 leaves all that as it is, for a host that others are using at the moment.
 */
export default async function setup(): Promise<void> {
  if (process.env["BERTH_E2E_HOST_READY"] === "1") return;
  if (isEmbedded() || !(await berthIsInstalled())) ok(await run(hostScript, ["up"]));
  ok(await run(join(projectDir, "scripts", "test-tools"), []));
  ok(await berth("image", "build"));
  if (!existsSync(join(pluginDir(), "docker-compose"))) await installPlugins();
}

/** A machine with systemd and an engine of its own has had scripts/install. */
async function berthIsInstalled(): Promise<boolean> {
  if (!existsSync("/run/berth/berth.sock")) return false;
  ok(await run(join(projectDir, "scripts", "install"), []));
  return true;
}

/** Debian's own builds of buildx and compose; on the embedded host they run from its root file system. */
async function installPlugins(): Promise<void> {
  const install = "DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends";
  ok(await onHost(`apt-get update -qq && ${install} docker-buildx docker-compose`));
}
