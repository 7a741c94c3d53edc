import { buildImages } from "../assemble.js";
import type { Finding } from "../cli/local.js";
import type { Config } from "../config.js";
import { exerciseProfiles } from "../exercise-profiles.js";
import { surveyProfiles } from "../image/preload/carriers.js";
import { connectDocker } from "../lib/engine-call.js";
import { messageOf } from "../lib/errors.js";
import type { Log } from "../lib/log.js";
import { inOrder, warning } from "./findings.js";
import { canBeLoaded } from "./kernel.js";
import type { Machine } from "./machine.js";

// What profiles with images need of this host.

export async function lookAtErofs(machine: Machine): Promise<Finding> {
  const known = (await machine.read("/proc/filesystems")) ?? "";
  if (/\berofs$/m.test(known)) return decideErofs("there");
  return decideErofs((await canBeLoaded(machine, "erofs")) ? "a module" : "missing");
}

export function decideErofs(state: "there" | "a module" | "missing"): Finding {
  const check = "erofs";
  if (state === "there") return inOrder(check, "the kernel has it");
  if (state === "a module") return inOrder(check, "the kernel loads it when it is first used");
  return warning(check, {
    what: "the kernel has no EROFS",
    why: "preloaded images are kept in it: no sandbox of a profile with images can be made, others can",
    fix: "boot a kernel with CONFIG_EROFS_FS, such as Debian's",
  });
}

export async function lookAtPreloads(config: Config, log: Log): Promise<Finding> {
  const check = "preloads";
  const why = "sandboxes of a profile whose images are not built are refused";
  try {
    const docker = connectDocker(config.engine.socket);
    const recipe = await buildImages(config, log).recipe();
    const surveyed = await surveyProfiles(docker, recipe, config.profiles);
    // Berth's own exercises are built by those who want them.
    const names = surveyed
      .filter(({ current }) => !current)
      .filter(({ profile, wasBuilt }) => wasBuilt || !(profile.name in exerciseProfiles))
      .map(({ profile }) => profile.name);
    if (names.length === 0) return inOrder(check, "built for this version of Berth");
    return warning(check, {
      what: `not built, or for another version of Berth: ${names.join(", ")}`,
      why,
      fix: names.map((name) => `berth image build ${name}`).join("\n"),
    });
  } catch (error) {
    return warning(check, { what: messageOf(error), why, fix: "see engine" });
  }
}
