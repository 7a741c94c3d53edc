import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { Mutex } from "async-mutex";
import type { BuiltImage } from "../../lib/dind-image.js";
import { engineCall } from "../../lib/engine-call.js";
import { BerthError, codeOf } from "../../lib/errors.js";
import { run } from "../../lib/exec.js";
import { lockDataDirectory } from "../../lib/lock.js";
import type { Log } from "../../lib/log.js";
import { suggestion } from "../../lib/strict-issues.js";
import { debianArchitecture, labelNames, repository } from "../digest.js";
import { findImage, tagsOf, type DockerImages } from "../engine-images.js";
import type { BuildOptions, Images } from "../images.js";
import { reporter } from "../progress.js";
import type { DockerHost } from "./builder.js";
import { inputsDigest, preloadLabels, wantedOf } from "./identity.js";
import { hasLeftovers, makePreload, sweep } from "./make.js";
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
}

/** An image with a preload in it, as the engine lists it. */
interface Carrier {
  preload: string;
  wanted: string;
  createdAt: number;
  sizeBytes: number;
}

/** Preloads: built for profiles, carried by images, mounted once for all sandboxes of a profile. */
export class Preloads {
  readonly #options: PreloadsOptions;
  readonly #places: Places;
  readonly #stores: Stores;
  readonly #now: () => number;
  /** Held while a store is mounted or removed. */
  readonly #storeLock = new Mutex();

  constructor(options: PreloadsOptions) {
    this.#options = options;
    this.#places = new Places(options);
    const { docker, exec = run, log } = options;
    this.#stores = new Stores({ docker, places: this.#places, exec, log });
    this.#now = options.now ?? Date.now;
  }

  /**
   * The newest image with this profile's preload, on today's dind image.
   * @throws BerthError IMAGE_MISSING, ENGINE_UNREACHABLE
   */
  async require({ name, images }: PreloadProfile): Promise<{ image: string; preload: string }> {
    const recipe = await this.#options.images.recipe();
    const found = await this.#carriers([
      `${preloadLabels.wanted}=${wantedOf(images)}`,
      `${labelNames.recipe}=${recipe}`,
    ]);
    const [newest] = found;
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
    // Another name for another build: the store of the one before may be mounted.
    const preload = (before ? randomBytes(6).toString("hex") : inputs).slice(0, 12);
    const tag = tagOfPreload(preload);
    const began = this.#now();
    const names = sources.map(({ name }) => name);
    const made = await this.#withLock(() =>
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
    await this.#dropSuperseded();
    const seconds = (this.#now() - began) / 1000;
    this.#options.log.info({ tag, sizeBytes: image.Size, seconds }, "preload built");
    return { tag, built: true, sizeBytes: image.Size, seconds, ...made };
  }

  async #builtFrom(inputs: string): Promise<{ tag: string; sizeBytes: number } | undefined> {
    const [newest] = await this.#carriers([`${preloadLabels.inputs}=${inputs}`]);
    return newest && { tag: tagOfPreload(newest.preload), sizeBytes: newest.sizeBytes };
  }

  /** Tags that new sandboxes of the profiles start from. */
  async currentTags(): Promise<Set<string>> {
    const newest = await this.#newestOfEach();
    return new Set([...newest.values()].flatMap((one) => (one ? [tagOfPreload(one.preload)] : [])));
  }

  /** Names of the profiles whose images have not been put together since they or Berth changed. */
  async unbuilt(): Promise<string[]> {
    const newest = await this.#newestOfEach();
    return [...newest].filter(([, one]) => one === undefined).map(([name]) => name);
  }

  /** By its name, for each profile that preloads something, what `require` would give; asks once for all. */
  async #newestOfEach(): Promise<Map<string, Carrier | undefined>> {
    const profiles = this.#options.profiles.filter(({ images }) => images.length > 0);
    if (profiles.length === 0) return new Map();
    const recipe = await this.#options.images.recipe();
    const carriers = await this.#carriers([
      `${labelNames.recipe}=${recipe}`,
      preloadLabels.preload,
    ]);
    return new Map(
      profiles.map(({ name, images }) => {
        const wanted = wantedOf(images);
        return [name, carriers.find((one) => one.wanted === wanted)];
      }),
    );
  }

  /** The image is gone: its store goes too, and a mount of it with the next reap. */
  async forget(tag: string): Promise<void> {
    const preload = preloadName(tag.slice(repository.length + 1));
    if (preload !== undefined) await this.#stores.unlink(preload);
  }

  /**
   * Removes what a killed build left, stores that no sandbox uses and no new one would start from, and
   * images that a newer build has replaced. Tells what it removed, or on a dry run would.
   * @param isUsed whether a sandbox is on record with this preload
   */
  async collect(
    isUsed: (preload: string) => boolean,
    { dryRun }: { dryRun: boolean },
  ): Promise<{ thing: string; why: string }[]> {
    const removed = await this.#collectBuild(dryRun);
    if (!dryRun) await this.#dropSuperseded(isUsed);
    const current = await this.currentTags();
    await this.#storeLock.runExclusive(async () => {
      if (!dryRun) await this.#stores.tidy();
      for (const preload of await this.#stores.names()) {
        if (isUsed(preload) || current.has(tagOfPreload(preload))) continue;
        if (!dryRun) await this.#stores.remove(preload);
        removed.push({ thing: `preload ${preload}`, why: "no sandbox uses it" });
      }
    });
    return removed;
  }

  /** Of a build that was killed; one under way holds the lock and is left alone. */
  async #collectBuild(dryRun: boolean): Promise<{ thing: string; why: string }[]> {
    const { docker } = this.#options;
    if (!(await hasLeftovers(docker, this.#places))) return [];
    try {
      if (!dryRun) await this.#withLock(() => Promise.resolve());
    } catch (error) {
      if (codeOf(error) === "ALREADY_RUNNING") return [];
      throw error;
    }
    return [{ thing: "build of a preload", why: "it was broken off" }];
  }

  /** Builds are one at a time; before and after one, nothing is left of any. */
  async #withLock<T>(act: () => Promise<T>): Promise<T> {
    const { docker } = this.#options;
    await mkdir(this.#places.dir, { recursive: true, mode: 0o700 });
    const lock = await lockDataDirectory(this.#places.dir).catch((error: unknown) => {
      if (codeOf(error) !== "ALREADY_RUNNING") throw error;
      const message = "another build of a preload is under way; wait for its end";
      throw new BerthError("ALREADY_RUNNING", message, { cause: error });
    });
    try {
      await sweep(docker, this.#places);
      return await act();
    } finally {
      try {
        await sweep(docker, this.#places);
      } finally {
        await lock.release();
      }
    }
  }

  /** Images for the same list as a newer one's; a container made from one keeps it. */
  async #dropSuperseded(isUsed: (preload: string) => boolean = () => false): Promise<void> {
    const newest = new Set<string>();
    for (const { preload, wanted } of await this.#carriers([preloadLabels.preload])) {
      if (!newest.has(wanted)) newest.add(wanted);
      else if (!isUsed(preload)) await this.#drop(tagOfPreload(preload));
    }
  }

  async #drop(image: string): Promise<void> {
    try {
      await this.#options.docker.getImage(image).remove();
    } catch (error) {
      this.#options.log.info({ image, err: error }, "the image before this one stays");
    }
  }

  /** Images with a preload and these labels, the newest first. */
  async #carriers(label: string[]): Promise<Carrier[]> {
    const images = await engineCall("list the images", () =>
      this.#options.docker.listImages({ filters: JSON.stringify({ label }) }),
    );
    const carriers = images.flatMap(({ Labels, Created, Size, ...image }) => {
      const preload = preloadName(Labels[preloadLabels.preload] ?? "");
      const isTagged = preload !== undefined && tagsOf(image).includes(tagOfPreload(preload));
      if (!isTagged) return [];
      const wanted = Labels[preloadLabels.wanted] ?? "";
      return [{ preload, wanted, createdAt: Created, sizeBytes: Size }];
    });
    return carriers.sort((a, b) => b.createdAt - a.createdAt);
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
