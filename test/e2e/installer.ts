import { mkdtemp, readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Sandbox } from "../../src/lib/contract/sandbox.js";
import {
  daemonAnswers,
  ok,
  onHost,
  patience,
  patienceSeconds,
  projectDir,
  run,
  type Ran,
} from "./support.js";

// A release of this build, unpacked on the host that holds the sandboxes, and its scripts/install.

export const work = "/var/tmp/berth-e2e-install";
/** Where it is unpacked. */
export const release = `${work}/release`;

/** Packs this build as it is; gives the directory of the tarball, here, for the caller to remove. */
export async function packRelease(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "berth-release-"));
  ok(await run(join(projectDir, "scripts", "release"), ["--as-built", "-o", dir]));
  return dir;
}

/** Unpacks it on the host. */
export async function unpackRelease(dir: string): Promise<void> {
  const name = (await readdir(dir)).find((file) => file.endsWith(".tar.gz")) ?? "";
  const space = `[ $(df --output=avail -k ${work} | tail -n1) -gt 1500000 ]`;
  ok(await onHost(`rm -rf ${work} && mkdir -p ${release} && ${space}`));
  const unpack = `tar -xz --strip-components=1 -C ${release}`;
  const input = await readFile(join(dir, name));
  ok(await onHost(unpack, { input, timeout: patience(300_000) }));
}

export async function removeWork(): Promise<void> {
  ok(await onHost(`rm -rf ${work}`));
}

/** Runs the scripts/install of a tree on the host. */
export function install(tree: string, ...flags: string[]): Promise<Ran> {
  const seconds = Math.round(patienceSeconds(60_000));
  return onHost(
    `cd / && BERTH_INSTALL_TIMEOUT=${seconds} ${tree}/scripts/install ${flags.join(" ")}`,
    {
      timeout: patience(400_000),
    },
  );
}

/** By which one sees that a sandbox was not stopped, started again or mounted anew. */
export const lifeOf = async ({ id }: Sandbox) =>
  ok(
    await onHost(`docker inspect -f '{{.Id}} {{.State.StartedAt}} {{.State.Pid}}' berth-${id}
      findmnt -rno ID,SOURCE,TARGET /run/berth/disks/${id}`),
  );

export const imagesOfBerth = async () =>
  ok(await onHost("docker images --filter label=berth.image --format '{{.Repository}}:{{.Tag}}'"))
    .split("\n")
    .filter((image) => image !== "" && !image.includes("<none>"))
    .sort();

/** As it was before, whatever a test left: this build, and what `backUp` has kept. Safe to repeat. */
export async function restore(): Promise<void> {
  ok(
    await onHost(
      `if [ -f ${work}/data.tar.gz ]; then
        systemctl stop berth 2>/dev/null
        tar -xzf ${work}/data.tar.gz -C / && rm ${work}/data.tar.gz
        docker load -q -i ${work}/images.tar && rm ${work}/images.tar
      fi`,
      { timeout: patience(300_000) },
    ),
  );
  // This build's own stamp: what deploys next finds it there.
  ok(await install(release));
  await daemonAnswers();
}

/** Configuration, data and images of the Berth on the host, for the suites after this one and its owner. */
export async function backUp(): Promise<void> {
  const images = await imagesOfBerth();
  ok(
    await onHost(
      `cd / && tar -czf ${work}/data.tar.gz --exclude=var/lib/berth/sandboxes --exclude=var/lib/berth/preloads \\
        --exclude=var/lib/berth/lock etc/berth var/lib/berth
      docker save -o ${work}/images.tar ${images.join(" ")}`,
      { timeout: patience(300_000) },
    ),
  );
}
