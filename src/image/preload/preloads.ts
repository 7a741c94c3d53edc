import { randomBytes } from "node:crypto";
import { Mutex } from "async-mutex";
import type { BuiltImage } from "../../lib/dind-image.js";
import { BerthError, outcomeOf } from "../../lib/errors.js";
import { run } from "../../lib/exec.js";
import type { Log } from "../../lib/log.js";
import { suggestion } from "../../lib/strict-issues.js";
import { debianArchitecture, repository } from "../digest.js";
import { findImage, type DockerImages } from "../engine-images.js";
import type { BuildOptions, Images } from "../images.js";
import { reporter } from "../progress.js";
import type { DockerHost } from "./builder.js";
import { inputsDigest, preloadLabels, wantedOf } from "./identity.js";
import { Builds } from "./builds.js";
import { findCarriers, findSuperseded, surveyProfiles, type Survey } from "./carriers.js";
import { makePreload } from "./make.js";
import { Places, preloadName, tagOfPreload } from "./places.js";
import { findSources, type Makers } from "./sources.js";
import { Stores } from "./stores.js";

/** A profile, as far as its images go. */
export interface PreloadProfile {
  name: string;
  images: readonly string[];
}

export interface PreloadsOptions {
  docker: DockerImages & DockerHost;
  images: Images;
  profiles: readonly PreloadProfile[];
  dataDir: string;
  runDir: string;
  /** Of this installation; in the names of its containers. */
  mark: string;
  log: Log;
  makers?: Makers | undefined;
  exec?: typeof run;
  now?: () => number;
  /** For tests. */
  mountinfo?: string;
}

/** What `collect` removed. */
export interface Collected {
  thing: string;
  why: string;
  /** Set when it could not be; the rest is removed all the same. */
  error?: string;
}

/** Preloads: built for profiles, carried by images, mounted once for all sandboxes of a profile. */
export class Preloads {
  readonly #options: PreloadsOptions;
  readonly #places: Places;
  readonly #stores: Stores;
  readonly #builds: Builds;
  readonly #now: () => number;
  /** Held while a store is mounted or removed. */
  readonly #storeLock = new Mutex();

  constructor(options: PreloadsOptions) {
    this.#options = options;
    this.#places = new Places(options);
    const { docker, exec = run, log, mountinfo } = options;
    this.#stores = new Stores({ docker, places: this.#places, exec, log, mountinfo });
    this.#builds = new Builds(docker, this.#places);
    this.#now = options.now ?? Date.now;
  }

  /**
   * The newest image with this profile's preload, on today's dind image.
   * @throws BerthError IMAGE_MISSING, ENGINE_UNREACHABLE
   */
  async require(profile: PreloadProfile): Promise<{ image: string; preload: string }> {
    const { name } = profile;
    const newest = (await this.#survey([profile]))[0]?.current;
    if (newest) return { image: tagOfPreload(newest.preload), preload: newest.preload };
    throw new BerthError(
      "IMAGE_MISSING",
      `the images that the profile ${name} preloads have not been put together since they or Berth changed; run \`berth image build ${name}\``,
    );
  }

  /** Where a preload is mounted, read-only; it is mounted, and unpacked before that, if it is not. */
  mount(preload: string): Promise<string> {
    return this.#storeLock.runExclusive(() => this.#stores.mount(preload));
  }

  /**
   * Builds the preload of a profile unless one of the same inputs is there.
   * @throws BerthError PROFILE_UNKNOWN, IMAGE_BUILD_FAILED, ENGINE_UNREACHABLE, DISK_FULL
   */
  async build(profileName: string, options: BuildOptions = {}): Promise<BuiltImage> {
    const profile = this.#profile(profileName);
    const base = await this.#options.images.build({ ...options, rebuild: false });
    if (profile.images.length === 0) return base;
    const { docker, makers } = this.#options;
    const report = reporter(options.onProgress, this.#now);
    report("images", `looking for ${profile.images.join(", ")}`);
    const sources = await findSources(profile.images, { docker, makers }, options);
    const wanted = wantedOf(profile.images);
    const inputs = inputsDigest({ base: base.tag, wanted, sources });
    const before = await this.#builtFrom(inputs);
    if (before && options.rebuild !== true) return { ...before, built: false, seconds: 0 };
    const preload = await this.#freeName(inputs.slice(0, 12), before !== undefined);
    const tag = tagOfPreload(preload);
    const began = this.#now();
    const names = sources.map(({ name }) => name);
    const made = await this.#builds.alone(() =>
      makePreload({
        docker,
        places: this.#places,
        preload,
        base: base.tag,
        tag,
        labels: {
          [preloadLabels.preload]: preload,
          [preloadLabels.inputs]: inputs,
          [preloadLabels.wanted]: wanted,
          [preloadLabels.images]: names.join(" "),
        },
        sources,
        architecture: debianArchitecture(),
        report,
        now: this.#now,
        signal: options.signal ?? new AbortController().signal,
      }),
    );
    const image = await findImage(docker, tag);
    if (!image) throw new BerthError("IMAGE_BUILD_FAILED", `the engine did not keep ${tag}`);
    const seconds = (this.#now() - began) / 1000;
    this.#options.log.info({ tag, sizeBytes: image.Size, seconds }, "preload built");
    return { tag, built: true, sizeBytes: image.Size, seconds, ...made };
  }

  /**
   * Another name for another build: sandboxes may have the store of the one before, whose layers are
   * called otherwise. Also where the image is gone and its store is not.
   */
  async #freeName(name: string, isBuilt: boolean): Promise<string> {
    const isTaken = isBuilt || (await this.#stores.names()).includes(name);
    return isTaken ? randomBytes(6).toString("hex") : name;
  }

  async #builtFrom(inputs: string): Promise<{ tag: string; sizeBytes: number } | undefined> {
    const [newest] = await findCarriers(this.#options.docker, [
      `${preloadLabels.inputs}=${inputs}`,
    ]);
    return newest && { tag: tagOfPreload(newest.preload), sizeBytes: newest.sizeBytes };
  }

  /** Tags that new sandboxes of the profiles start from. */
  async currentTags(): Promise<Set<string>> {
    const surveyed = await this.#survey(this.#options.profiles);
    return new Set(
      surveyed.flatMap(({ current: one }) => (one ? [tagOfPreload(one.preload)] : [])),
    );
  }

  /** Names of the profiles whose images have not been put together since they or Berth changed. */
  async unbuilt(): Promise<string[]> {
    const surveyed = await this.#survey(this.#options.profiles);
    return surveyed.filter(({ current }) => !current).map(({ profile }) => profile.name);
  }

  async #survey(profiles: readonly PreloadProfile[]): Promise<Survey<PreloadProfile>[]> {
    const { docker, images } = this.#options;
    return surveyProfiles(docker, await images.recipe(), profiles);
  }

  /** The image is gone: its store goes too, and a mount of it with the next reap. */
  async forget(tag: string): Promise<void> {
    const preload = preloadName(tag.slice(repository.length + 1));
    if (preload !== undefined) await this.#stores.unlink(preload);
  }

  /**
   * Removes what a killed build left, images that a newer build has replaced, and stores that no sandbox
   * uses and no new one would start from. Tells what it removed or could not, or on a dry run would.
   * @param isUsed whether a sandbox is on record with this preload
   */
  async collect(
    isUsed: (preload: string) => boolean,
    { dryRun }: { dryRun: boolean },
  ): Promise<Collected[]> {
    const collected: Collected[] = [];
    if (await this.#builds.collect(dryRun))
      collected.push({ thing: "build of a preload", why: "it was broken off" });
    collected.push(...(await this.#collectImages(isUsed, dryRun)));
    await this.#storeLock.runExclusive(async () => {
      if (!dryRun) await this.#stores.tidy();
      const names = await this.#stores.names();
      // Asked after the stores: a build makes its image first, and then puts its store there.
      const current = names.length > 0 ? await this.currentTags() : new Set();
      for (const preload of names) {
        if (isUsed(preload) || current.has(tagOfPreload(preload))) continue;
        const error = dryRun ? {} : await outcomeOf(() => this.#stores.remove(preload));
        collected.push({ thing: `preload ${preload}`, why: "no sandbox uses it", ...error });
      }
    });
    return collected;
  }

  /**
   * Leaves nothing of a killed build and no mount of a store, and of the files of stores only on request
   * anything. No sandbox is left.
   * @throws BerthError ALREADY_RUNNING while something is built
   */
  async withdraw({ keepFiles }: { keepFiles: boolean }): Promise<void> {
    await this.#builds.alone(() =>
      this.#storeLock.runExclusive(() => this.#stores.withdraw({ keepFiles })),
    );
  }

  /** Unless a sandbox may have to be made from them: one on record, or a new one. */
  async #collectImages(
    isUsed: (preload: string) => boolean,
    dryRun: boolean,
  ): Promise<Collected[]> {
    const { docker } = this.#options;
    const superseded = await findSuperseded(docker);
    // The newest may be of another version of Berth, which this one does not start from.
    const current = superseded.length > 0 ? await this.currentTags() : new Set();
    const collected: Collected[] = [];
    for (const { preload } of superseded) {
      const image = tagOfPreload(preload);
      if (isUsed(preload) || current.has(image)) continue;
      const error = dryRun ? {} : await outcomeOf(() => docker.getImage(image).remove());
      collected.push({ thing: `image ${image}`, why: "a newer build replaced it", ...error });
    }
    return collected;
  }

  #profile(name: string): PreloadProfile {
    const { profiles } = this.#options;
    const profile = profiles.find((known) => known.name === name);
    if (profile) return profile;
    const known = profiles.map((one) => one.name);
    throw new BerthError(
      "PROFILE_UNKNOWN",
      `there is no profile "${name}"${suggestion(name, known)}`,
    );
  }
}
