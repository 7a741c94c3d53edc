import {
  berth,
  hostScript,
  isEmbedded,
  ok,
  onHost,
  patience,
  pluginDir,
  projectDir,
  run,
} from "./support.js";
import { userList } from "../../src/lib/contract/user.js";
import { reapsAsUsual } from "./reaping.js";
import { SecondBerth } from "./second-berth.js";
import { cli, isVm } from "./where.js";
import { existsSync } from "node:fs";
import { join } from "node:path";

/** What is fetched and built once takes minutes on a slow machine. */
const once = { timeout: patience(900_000) };

/**
 * Before all end-to-end suites: a host with this build of Berth, its image, and docker's plugins.
 * BERTH_E2E_HOST_READY=1 leaves all that as it is, for a host that others are using at the moment.
 */
export default async function setup(): Promise<void> {
  if (process.env["BERTH_E2E_HOST_READY"] === "1") return;
  // scripts/test-vm has seen to the rest.
  if (isVm) return removeLeftovers();
  if (isEmbedded() || !(await berthIsInstalled())) ok(await run(hostScript, ["up"], once));
  await removeLeftovers();
  ok(await run(join(projectDir, "scripts", "test-tools"), [], once));
  const { file, args, env } = cli(["image", "build"]);
  ok(await run(file, args, { env, ...once }));
  if (!existsSync(join(pluginDir(), "docker-compose"))) await installPlugins();
}

/** Of a run that was ended from outside: its users, their sandboxes with them, second daemons, settings. */
async function removeLeftovers(): Promise<void> {
  await reapsAsUsual();
  const { users } = userList.parse(JSON.parse(ok(await berth("user", "list", "--json"))));
  for (const { name } of users.filter((user) => user.name.startsWith("e2e-"))) {
    ok(await berth("user", "remove", name));
  }
  for (const unit of ok(await onHost("cd /var/lib && ls -d berth-e2e-* 2>/dev/null; true")).split(
    "\n",
  )) {
    if (unit) await new SecondBerth({}, unit).remove();
  }
}

/** A machine with systemd and an engine of its own has had scripts/install. */
async function berthIsInstalled(): Promise<boolean> {
  if (!existsSync("/run/berth/berth.sock")) return false;
  ok(await run(join(projectDir, "scripts", "install"), [], once));
  return true;
}

/** Debian's own builds of buildx and compose; on the embedded host they run from its root file system. */
async function installPlugins(): Promise<void> {
  const install = "DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends";
  ok(await onHost(`apt-get update -qq && ${install} docker-buildx docker-compose`, once));
}
