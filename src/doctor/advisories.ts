import { promisify } from "node:util";
import { readFile } from "node:fs/promises";
import { gunzip } from "node:zlib";
import type { Finding } from "../cli/local.js";
import { ignoring } from "../lib/errors.js";
import type { EngineFacts } from "./engine.js";
import { faultsOr, inOrder, warning } from "./findings.js";
import type { Machine } from "./machine.js";

interface Advisory {
  ids: string[];
  /** Whose version counts. */
  part: "runc" | "engine";
  /** The first good version of each line that got one; every line after the last of them is good. */
  fixedIn: string[];
  /** What it lets happen, and what it means for a host of sandboxes. */
  why: string;
  /** It needs firewalld on the host. */
  onlyWithFirewalld?: true;
}

/** In which package each part comes: in distributions', whose changelogs tell of fixes that versions do not, and in docker.com's. */
const packages = {
  runc: { distribution: "runc", docker: "containerd.io" },
  engine: { distribution: "docker.io", docker: "docker-ce" },
} as const;

/*
 * Holes in versions that a host may have (Docker Engine 25 and newer), if they matter to a host of sandboxes.
 * Users of sandboxes never reach the host's engine, so its own API, image builds, swarm and authorisation
 * plug-ins are no way in for them, and Berth neither copies into containers nor has internal networks: CVE-2024-41110,
 * CVE-2026-34040, CVE-2024-24557, CVE-2024-29018, CVE-2026-41567, -41568 and -42306 are left out for that, and
 * CVE-2026-41579 because Docker's containers do not meet it.
 *
 * Sources: github.com/opencontainers/runc/security/advisories/GHSA-xr7r-f8xq-vfvv (CVE-2024-21626),
 * GHSA-9493-h29p-rfm2, GHSA-qw9x-cqr3-wc7r, GHSA-cgrx-mc8f-2prm (CVE-2025-31133, -52565, -52881);
 * github.com/moby/moby/security/advisories/GHSA-4vq8-7jfc-9cvp (CVE-2025-54410).
 */
export const advisories: readonly Advisory[] = [
  {
    ids: ["CVE-2024-21626"],
    part: "runc",
    fixedIn: ["1.1.12"],
    why: "a container may start with a directory of the host's open and get out by it; runc starts each sandbox as the host's root",
  },
  {
    ids: ["CVE-2025-31133", "CVE-2025-52565", "CVE-2025-52881"],
    part: "runc",
    fixedIn: ["1.2.8", "1.3.3", "1.4.0-rc.3"],
    why: "who runs containers side by side may have runc write to /proc of the host; sandboxes meet it as containers of the host, the host's other containers all the more",
  },
  {
    ids: ["CVE-2025-54410"],
    part: "engine",
    fixedIn: ["25.0.13", "28.0.0"],
    why: "when firewalld reloads, networks of containers are no longer apart; sandboxes of isolation privileged have nothing else between them",
    onlyWithFirewalld: true,
  },
];

/** What of docker.com's is installed here. */
export async function dockerPackages(machine: Machine): Promise<string[]> {
  const status = `\n${(await machine.read("/var/lib/dpkg/status")) ?? ""}`;
  return Object.values(packages)
    .map(({ docker }) => docker)
    .filter((name) => status.includes(`\nPackage: ${name}\nStatus: install ok installed\n`));
}

/** A version's numbers and its release candidate's; undefined for what is no version. */
export function parseVersion(text: string): number[] | undefined {
  const match = /^v?(\d+)\.(\d+)\.(\d+)(?:-rc\.?(\d+))?/.exec(text);
  if (!match) return undefined;
  const [, major, minor, patch, candidate] = match;
  return [major, minor, patch, candidate ?? Infinity].map(Number);
}

/** Below zero when `a` is the older one. */
function compare(a: number[], b: number[]): number {
  const index = a.findIndex((number, i) => number !== b[i]);
  return index === -1 ? 0 : (a[index] ?? 0) - (b[index] ?? 0);
}

/** By the version alone; not told for what is no version. */
export function isAffected(version: string, fixedIn: readonly string[]): boolean {
  const own = parseVersion(version);
  if (!own) return false;
  const fixes = fixedIn.flatMap((fix) => [parseVersion(fix) ?? []]).sort(compare);
  const sameLine = fixes.find(([major, minor]) => major === own[0] && minor === own[1]);
  const bound = sameLine ?? fixes.at(-1) ?? [];
  return compare(own, bound) < 0;
}

const check = "advisories";

export interface AdvisoryFacts {
  engine: EngineFacts;
  firewalldIsActive: boolean;
  /** Whether a package of the distribution says that it has mended this one. */
  isPatched: (name: string, id: string) => boolean;
  /** As `dockerPackages`. */
  fromDocker: readonly string[];
}

/**
 * Never a failure: distributions mend without changing the version, which is all that an engine tells.
 */
export function decideAdvisories(facts: AdvisoryFacts): Finding[] {
  const { engine } = facts;
  const versions = { runc: engine.components["runc"] ?? "", engine: engine.version };
  const faults = advisories.flatMap((advisory): Finding[] => {
    const { part, ids, fixedIn, why } = advisory;
    if (advisory.onlyWithFirewalld && !facts.firewalldIsActive) return [];
    const version = versions[part];
    if (!isAffected(version, fixedIn)) return [];
    const { distribution, docker } = packages[part];
    const name = `${part === "engine" ? "Docker Engine" : part} ${version}`;
    const mended = `(fixed in ${fixedIn.join(", ")})`;
    const upgrade = (of: string) =>
      `apt-get update; apt-get install --only-upgrade ${of}; systemctl restart docker`;
    if (facts.fromDocker.includes(docker))
      return [
        warning(check, {
          what: `${name} has ${ids.join(", ")} ${mended}`,
          why,
          fix: upgrade(docker),
        }),
      ];
    const open = ids.filter((id) => !facts.isPatched(distribution, id));
    if (open.length === 0) return [];
    return [
      warning(check, {
        what: `${name} has ${open.join(", ")}, unless your distribution has mended it ${mended}`,
        why,
        fix:
          `${upgrade(distribution)}\n` +
          `zgrep ${open[0] ?? ""} /usr/share/doc/${distribution}/changelog.Debian.gz # says whether it is mended`,
      }),
    ];
  });
  return faultsOr(
    [...unknownRunc(versions.runc), ...faults],
    inOrder(check, "none known for these versions that matter here"),
  );
}

/** An engine that finds no runc in its PATH, or one that prints something else, leaves its version out. */
function unknownRunc(version: string): Finding[] {
  if (parseVersion(version)) return [];
  return [
    warning(check, {
      what: `the engine does not tell the version of its runc${version === "" ? "" : ` (it says ${JSON.stringify(version)})`}`,
      why: "runc starts each sandbox as the host's root: whether it has a hole by which a container gets out, nobody can say",
      fix: "docker version; runc --version # hold it against docs/doctor.md, Advisories",
    }),
  ];
}

/** Reads the changelogs of the packages that are asked for later. */
export async function readPatches(
  directory = "/usr/share/doc",
): Promise<AdvisoryFacts["isPatched"]> {
  const texts = new Map<string, string>();
  for (const { distribution: name } of Object.values(packages)) {
    const packed = await ignoring(readFile(`${directory}/${name}/changelog.Debian.gz`), "ENOENT");
    if (packed) texts.set(name, (await promisify(gunzip)(packed)).toString());
  }
  return (name, id) => texts.get(name)?.includes(id) === true;
}

/** Older containerd made it for all of the host's users to enter; others who work on the host could read images. */
export async function lookAtEngineDirectory(machine: Machine): Promise<Finding> {
  const found = await machine.run("stat", ["--format=%a", "/var/lib/containerd"]);
  const mode = found.ok ? parseInt(found.stdout, 8) : undefined;
  return decideEngineDirectory(mode, await dockerPackages(machine));
}

/** @param mode of /var/lib/containerd; undefined when it is not there */
export function decideEngineDirectory(
  mode: number | undefined,
  fromDocker: readonly string[],
): Finding {
  const check = "engine directory";
  if (mode === undefined || (mode & 0o077) === 0) {
    return inOrder(check, "/var/lib/containerd is root's alone");
  }
  return warning(check, {
    what: `/var/lib/containerd has mode ${mode.toString(8)} (CVE-2024-25621)`,
    why: "whoever has an account on this host may get at what the engine keeps in there, set-uid programs of images included",
    fix: `chmod 700 /var/lib/containerd; apt-get install --only-upgrade ${fromDocker.includes("containerd.io") ? "containerd.io" : "containerd"}`,
  });
}
