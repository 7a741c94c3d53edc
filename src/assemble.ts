import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { BundlePacker } from "./bundle/bundler.js";
import { CertificateAuthority } from "./certs/authority.js";
import { KeyPool } from "./certs/key-pool.js";
import { minLimits, type Config } from "./config.js";
import { DirectDoor } from "./door/direct-door.js";
import { BerthError, messageOf } from "./lib/errors.js";
import { connectDocker, connectDockerForStreams } from "./lib/engine-call.js";
import { SandboxEngine } from "./engine/engine.js";
import { BuildNotes } from "./image/build-notes.js";
import { Exercises } from "./image/exercises.js";
import { Images, type ImagesOptions } from "./image/images.js";
import { Preloads } from "./image/preload/preloads.js";
import { SandboxIsolation } from "./isolation/isolation.js";
import type { SignInSettings } from "./http/sign-in/sign-in.js";
import { HostMeter } from "./kernel/host-meter.js";
import { HostKernel } from "./kernel/kernel.js";
import { defaultAddress, openFilesLimit, reachableResolvers } from "./lib/host-facts.js";
import { bridgeOf, installationId, markOf } from "./lib/installation.js";
import type { Log } from "./lib/log.js";
import { readHostNetworks, sharedSubnet } from "./lib/subnets.js";
import type { Parts } from "./provisioner/parts.js";
import { SandboxProbe } from "./probe/probe.js";
import { Provisioner } from "./provisioner/provisioner.js";
import { Records } from "./provisioner/records.js";
import type { Settings } from "./provisioner/settings.js";
import type { IoCeiling } from "./slice/properties.js";
import { UserSlices } from "./slice/slices.js";
import { DbusSystemd } from "./slice/systemd.js";
import { LoopDisks } from "./storage/loop-disks.js";
import { Users } from "./users/users.js";

/** What of the process's surroundings the parts need; main.ts reads it from the environment. */
export interface Surroundings {
  /** D-Bus address of systemd's bus. */
  busAddress: string;
  log: Log;
}

/** Folder of images/ and the like: beside dist/ in a clone and in an installation. */
const projectDir = fileURLToPath(new URL("..", import.meta.url));

/** Builds every part and plugs it into the provisioner; nothing is touched on the host yet but our own directory. */
export async function assemble(config: Config, { busAddress, log }: Surroundings) {
  const sandboxesDir = join(config.dataDir, "sandboxes");
  const systemd = new DbusSystemd({ address: busAddress });
  const keys = new KeyPool({ size: config.keyPool, log });
  const installation = await installationId(config.dataDir);
  const images = buildImages(config, log, installation);
  const mark = markOf(installation);
  const preloads = await buildPreloads(config, log, images);
  const bridge = { name: bridgeOf(installation), subnet: sharedSubnet(config.network.pool) };
  const settings = await settingsOf(config);
  const parts: Parts = {
    images,
    preloads,
    slices: new UserSlices({ systemd, installation: mark, io: ioCeilingOf(config), log }),
    disks: new LoopDisks({ sandboxesDir, mountsDir: join(config.runDir, "disks"), log }),
    certificates: await CertificateAuthority.open({ directory: config.dataDir, keys }),
    engine: new SandboxEngine({
      docker: connectDocker(config.engine.socket),
      streams: connectDockerForStreams(config.engine.socket),
      installation,
      startTimeoutMs: config.engine.startTimeout,
      openFiles: await openFilesLimit(),
      bridge,
      log,
    }),
    kernel: new HostKernel({ log }),
    door: new DirectDoor({ table: `berth_${mark}`, log }),
    isolation: new SandboxIsolation({
      wall: { table: `berth_${mark}_wall`, bridge: bridge.name, dns: settings.dns },
    }),
    probe: new SandboxProbe({ scriptFile: join(projectDir, "images", "probe", "probe.sh"), log }),
    bundler: new BundlePacker(),
    hostNetworks: readHostNetworks,
  };
  const host = new HostMeter({ dataDir: config.dataDir });
  const records = new Records({ dir: sandboxesDir, log });
  const users = new Users({
    dir: join(config.dataDir, "users"),
    log,
    ways: config.signIn,
  });
  const provisioner = new Provisioner({
    parts,
    records,
    settings,
    log,
    groupsOf: (name) => users.groupsOf(name),
  });
  return {
    provisioner,
    records,
    users,
    keys,
    images: {
      list: async () => images.list(await preloads.currentTags()),
      building: () => new BuildNotes({ dataDir: config.dataDir, log }).read(),
      unbuilt: () => preloads.unbuilt(),
    },
    host,
    close: () => {
      keys.stop();
      systemd.close();
    },
  };
}

function ioCeilingOf({ io, dataDir }: Config): IoCeiling | undefined {
  if (Object.values(io).every((most) => most === undefined)) return undefined;
  const { read, write, readIops, writeIops } = io;
  return { path: dataDir, readBytes: read, writeBytes: write, readIops, writeIops };
}

export const buildImages = (config: Config, log: Log, installation?: string): Images =>
  new Images({
    ...imagesOptions(config, log),
    ...(installation === undefined ? {} : { installation }),
  });

function imagesOptions(config: Config, log: Log): ImagesOptions {
  const [quick, lasting] = [
    connectDocker(config.engine.socket),
    connectDockerForStreams(config.engine.socket),
  ];
  return {
    docker: {
      getImage: (name) => quick.getImage(name),
      listImages: quick.listImages.bind(quick),
      listContainers: quick.listContainers.bind(quick),
      importImage: lasting.importImage.bind(lasting),
      buildImage: lasting.buildImage.bind(lasting),
    },
    imagesDir: join(projectDir, "images"),
    log,
    ...(config.image.base === undefined ? {} : { base: config.image.base }),
    ...(config.image.mirror === undefined ? {} : { mirror: config.image.mirror }),
  };
}

export async function buildPreloads(
  config: Config,
  log: Log,
  images = buildImages(config, log),
): Promise<Preloads> {
  return new Preloads({
    docker: connectDockerForStreams(config.engine.socket),
    images,
    profiles: config.profiles,
    dataDir: config.dataDir,
    runDir: config.runDir,
    mark: markOf(await installationId(config.dataDir)),
    makers: new Exercises(imagesOptions(config, log)),
    log,
  });
}

/** Where the compiled page lies. */
export const pageDir = join(projectDir, "dist", "http", "page");

async function settingsOf(config: Config): Promise<Settings> {
  return {
    publicHosts: await publicHostsOf(config),
    ports: config.ports,
    networkPool: config.network.pool,
    allowPrivate: config.network.allowPrivate,
    subordinateUids: config.subordinateUids,
    dns: config.dns ?? (await reachableResolvers()),
    minLimits,
    maxLimits: config.limits.max,
    maxTtlMs: config.ttl.max,
    sandboxesPerUser: config.sandboxesPerUser,
    profiles: config.profiles,
    groups: config.groups,
  };
}

/** @throws BerthError CONFIG_INVALID when a file with a secret cannot be read */
export async function signInSettingsOf({
  signIn,
  listen,
  publicUrl,
  groups,
}: Config): Promise<SignInSettings> {
  const { local, session: sessionMs, oidc, proxy } = signIn;
  const clientSecret = oidc && (await secretIn("oidc.clientSecretFile", oidc.clientSecretFile));
  const secret = proxy && (await secretIn("proxy.secretFile", proxy.secretFile));
  return {
    local,
    sessionMs,
    publicUrl,
    proxy: proxy && { ...proxy, secret },
    proxies: listen.proxies,
    groups: groups.map(({ name }) => name),
    oidc: oidc && { ...oidc, clientSecret },
  };
}

async function secretIn(key: string, file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined;
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw new BerthError("CONFIG_INVALID", `signIn.${key}: cannot read it: ${messageOf(error)}`);
  });
  const secret = text.trim();
  if (secret !== "") return secret;
  throw new BerthError("CONFIG_INVALID", `signIn.${key}: ${file} is empty`);
}

export async function publicHostsOf(config: Config): Promise<string[]> {
  return config.publicHosts ?? [await defaultAddress()];
}
