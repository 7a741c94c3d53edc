import { readFile } from "node:fs/promises";
import { buildImages } from "../assemble.js";
import type { Finding } from "../cli/local.js";
import type { Config } from "../config.js";
import { exerciseProfiles } from "../exercise-profiles.js";
import { surveyProfiles } from "../image/preload/carriers.js";
import { connectDocker } from "../lib/engine-call.js";
import { messageOf } from "../lib/errors.js";
import { run } from "../lib/exec.js";
import type { Log } from "../lib/log.js";

/** What profiles with images need of this host. */
export function examinePreloads(config: Config, log: Log): Promise<Finding[]> {
  return Promise.all([checkErofs(), checkPreloads(config, log)]);
}

async function checkErofs(): Promise<Finding> {
  const check = "erofs";
  const isThere = /\berofs$/m.test(await readFile("/proc/filesystems", "utf8"));
  if (isThere)
    return { check, status: "ok", what: "the kernel has it; preloaded images are kept in it" };
  try {
    await run("modprobe", ["--dry-run", "--quiet", "erofs"]);
    return { check, status: "ok", what: "the kernel loads it when preloaded images are mounted" };
  } catch {
    return {
      check,
      status: "warning",
      what: "the kernel has no EROFS: no sandbox of a profile with images can be made",
      fix: "boot a kernel with CONFIG_EROFS_FS, such as Debian's",
    };
  }
}

async function checkPreloads(config: Config, log: Log): Promise<Finding> {
  const check = "preloads";
  try {
    const docker = connectDocker(config.engine.socket);
    const recipe = await buildImages(config, log).recipe();
    const surveyed = await surveyProfiles(docker, recipe, config.profiles);
    // Berth's own exercises are built by those who want them.
    const names = surveyed
      .filter(({ current }) => !current)
      .filter(({ profile, wasBuilt }) => wasBuilt || !(profile.name in exerciseProfiles))
      .map(({ profile }) => profile.name);
    if (names.length === 0) return { check, status: "ok", what: "built for this version of Berth" };
    return {
      check,
      status: "warning",
      what: `not built, or for another version of Berth: ${names.join(", ")}; sandboxes of these profiles are refused`,
      fix: names.map((name) => `berth image build ${name}`).join("; "),
    };
  } catch (error) {
    return { check, status: "warning", what: messageOf(error), fix: "see engine above" };
  }
}
