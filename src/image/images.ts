import { join } from "node:path";
import type { ImageInfo } from "dockerode";
import { BerthError, outcomeOf } from "../lib/errors.js";
import type { BuiltImage, DindImage } from "../lib/dind-image.js";
import { installationLabel } from "../lib/installation.js";
import type { Log } from "../lib/log.js";
import { buildOnBase, importRoot } from "./build.js";
import {
  debianArchitecture,
  identify,
  isOwnTag,
  labelNames,
  labelsOf,
  tagOf,
  type Identity,
} from "./digest.js";
import { engineCall, statusOf } from "../lib/engine-call.js";
import { findImage, tagsOf, type DockerImages } from "./engine-images.js";
import { preloadLabels } from "./preload/identity.js";
import { reporter, type OnProgress } from "./progress.js";
import { readRecipe, type RecipeFolder } from "./recipe.js";

export interface ImagesOptions {
  docker: DockerImages;
  /** The folder that holds dind/. */
  imagesDir: string;
  log: Log;
  /** The base that the operator's config names. */
  base?: string;
  /** The Debian mirror that the operator's config names. */
  mirror?: string;
  /** For a growing root of 300 MB; on a disk. */
  workDir?: string;
  /** Value of the label by which containers of this Berth are told from another's. */
  installation?: string;
  /** Given to mmdebstrap: proxy settings. */
  environment?: Record<string, string>;
  now?: () => number;
}

export interface BuildOptions {
  /** Build it even if it is there, for newer packages. */
  rebuild?: boolean;
  /** Build on this image instead of a Debian root of our own. */
  base?: string | undefined;
  mirror?: string | undefined;
  onProgress?: OnProgress;
  signal?: AbortSignal;
}

/** The images sandboxes start from, in the host's Docker Engine. */
export class Images {
  readonly #options: ImagesOptions;
  readonly #now: () => number;
  #folder: Promise<RecipeFolder> | undefined;

  constructor(options: ImagesOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /** The tag that today's recipe has, on the configured base; whether it is built or not. */
  async tag(): Promise<string> {
    return tagOf(await this.#identity());
  }

  /** What of today's recipe does not depend on the base; every image made from it has it as a label. */
  async recipe(): Promise<string> {
    return (await this.#identity()).recipe;
  }

  /**
   * The tag that new sandboxes start from: today's, or else the newest of the same recipe on another
   * base (what `berth image build --base` made).
   * @throws BerthError IMAGE_MISSING, ENGINE_UNREACHABLE
   */
  async require(): Promise<string> {
    const identity = await this.#identity();
    const tag = tagOf(identity);
    if (await findImage(this.#options.docker, tag)) return tag;
    const other = await this.#newestOf(identity.recipe);
    if (other !== undefined) return other;
    throw new BerthError(
      "IMAGE_MISSING",
      `the image ${tag} is not in the Docker Engine; run \`berth image build\``,
    );
  }

  /**
   * Builds the image unless one of the same inputs is there.
   * @throws BerthError IMAGE_BUILD_FAILED, ENGINE_UNREACHABLE, DISK_FULL
   */
  async build(options: BuildOptions = {}): Promise<BuiltImage> {
    const { docker, log } = this.#options;
    const base = options.base ?? this.#options.base;
    const identity = await this.#identity(base);
    const tag = tagOf(identity);
    const began = this.#now();
    const before = await findImage(docker, tag);
    const rebuild = options.rebuild ?? false;
    if (before && !rebuild) return { tag, built: false, sizeBytes: before.Size, seconds: 0 };
    const request = {
      docker,
      folder: await this.#readFolder(),
      tag,
      labels: labelsOf(identity),
      rebuild,
      workDir: this.#options.workDir ?? "/var/tmp",
      mirror: options.mirror ?? this.#options.mirror,
      environment: this.#options.environment ?? {},
      report: reporter(options.onProgress, this.#now),
      signal: options.signal ?? new AbortController().signal,
    };
    await (base === undefined ? importRoot(request) : buildOnBase({ ...request, base }));
    const image = await findImage(docker, tag);
    if (!image) throw new BerthError("IMAGE_BUILD_FAILED", `the engine did not keep ${tag}`);
    if (before && before.Id !== image.Id) await this.#drop(before.Id);
    const seconds = (this.#now() - began) / 1000;
    log.info({ tag, sizeBytes: image.Size, seconds }, "image built");
    return { tag, built: true, sizeBytes: image.Size, seconds };
  }

  /**
   * Berth's images, the newest first.
   * @param preloads tags of images with a preload that new sandboxes start from
   */
  async list(preloads: ReadonlySet<string> = new Set()): Promise<DindImage[]> {
    const { docker } = this.#options;
    const images = await this.#labelled();
    const containers = await engineCall("list the containers", () =>
      docker.listContainers({ all: true }),
    );
    const used = new Set(containers.map((container) => container.ImageID));
    const current = await this.#current();
    return images.map((image) => {
      const tag = tagsOf(image)[0] ?? "";
      return {
        tag,
        id: image.Id,
        sizeBytes: image.Size,
        createdAt: new Date(image.Created * 1000).toISOString(),
        current: tag !== "" && (tag === current || preloads.has(tag)),
        inUse: used.has(image.Id),
        images: (image.Labels[preloadLabels.images] ?? "").split(" ").filter(Boolean),
      };
    });
  }

  /** All with our label, the newest first: those that others have made of ours inherit it. */
  async #labelled(): Promise<ImageInfo[]> {
    const filters = JSON.stringify({ label: [labelNames.image] });
    const images = await engineCall("list the images", () =>
      this.#options.docker.listImages({ filters }),
    );
    return images.toSorted((a, b) => b.Created - a.Created);
  }

  /**
   * Removes an image by its tag or id.
   * @throws BerthError IMAGE_MISSING; INVALID_REQUEST when it is not one of Berth's, IMAGE_IN_USE
   */
  async remove(name: string): Promise<void> {
    const { docker } = this.#options;
    const found = await findImage(docker, name);
    if (!found) throw new BerthError("IMAGE_MISSING", `there is no image ${name} in the engine`);
    if (!isOurs(found.Config.Labels)) {
      throw new BerthError("INVALID_REQUEST", `${name} is not an image of Berth's; it stays`);
    }
    const listed = (await this.list()).find((image) => image.id === found.Id);
    if (listed?.inUse) throw inUse(name);
    // By each of its names, for the engine refuses to remove one that has several by its id.
    const tags = tagsOf(found);
    for (const tag of tags.length > 0 ? tags : [found.Id]) await this.#untag(tag);
  }

  /**
   * Removes every image of Berth's that no container is of, exercises and preloads included; tells which,
   * or on a dry run which it would. Images have no owner on an engine: all stay while another Berth has
   * sandboxes there. What others made of ours has our label, and another name: it stays, and is named.
   */
  async removeAll({ dryRun }: { dryRun: boolean }): Promise<RemovedImage[]> {
    const listed = await this.#labelled();
    if (listed.length > 0 && (await this.#isShared())) return [sharedImages];
    const ours = listed.flatMap(tagsOf).filter(isOwnTag);
    const removed: RemovedImage[] = [];
    for (const tag of ours) {
      const outcome = dryRun ? {} : await outcomeOf(() => this.#untag(tag));
      removed.push({ thing: `image ${tag}`, ...outcome });
    }
    return [...removed, ...listed.flatMap(notOurs)];
  }

  /** Takes one name from an image, and removes it with its last. @throws BerthError IMAGE_IN_USE */
  async #untag(tag: string): Promise<void> {
    await engineCall(`remove the image ${tag}`, async () => {
      try {
        await this.#options.docker.getImage(tag).remove();
      } catch (error) {
        // A container was made from it.
        if (statusOf(error) === 409) throw inUse(tag);
        if (statusOf(error) !== 404) throw error;
      }
    });
  }

  async #isShared(): Promise<boolean> {
    const { docker, installation } = this.#options;
    const filters = JSON.stringify({ label: [installationLabel] });
    const containers = await engineCall("list Berth's containers", () =>
      docker.listContainers({ all: true, filters }),
    );
    return containers.some(({ Labels }) => Labels[installationLabel] !== installation);
  }

  async #current(): Promise<string | undefined> {
    try {
      return await this.require();
    } catch (error) {
      if (error instanceof BerthError && error.code === "IMAGE_MISSING") return undefined;
      throw error;
    }
  }

  async #newestOf(recipe: string): Promise<string | undefined> {
    const filters = JSON.stringify({ label: [`${labelNames.recipe}=${recipe}`] });
    const images = await engineCall("list the images", () =>
      this.#options.docker.listImages({ filters }),
    );
    // One that carries a preload is made from another, and has its labels.
    const plain = images.filter(({ Labels }) => Labels[preloadLabels.preload] === undefined);
    return plain.toSorted((a, b) => b.Created - a.Created).flatMap(tagsOf)[0];
  }

  /** The image whose tag a rebuild took, unless sandboxes still run on it. */
  async #drop(id: string): Promise<void> {
    try {
      await this.#options.docker.getImage(id).remove();
    } catch (error) {
      this.#options.log.info({ image: id, err: error }, "the image before this one stays");
    }
  }

  async #identity(base = this.#options.base): Promise<Identity> {
    const { files } = await this.#readFolder();
    return identify({ files, architecture: debianArchitecture(), base });
  }

  /** Read once: a changed recipe counts from the next start on. */
  #readFolder(): Promise<RecipeFolder> {
    this.#folder ??= readRecipe(join(this.#options.imagesDir, "dind"));
    return this.#folder;
  }
}

/** What came of an image when all are removed; `act` and `why` where it stays. */
export interface RemovedImage {
  thing: string;
  act?: string;
  why?: string;
  error?: string;
}

const sharedImages: RemovedImage = {
  act: "leave",
  thing: "images",
  why: "another Berth has sandboxes on this engine; berth image list and remove are for the rest",
};

/** What stays of an image with our label: its other names, or itself where it has none. */
function notOurs(image: ImageInfo): RemovedImage[] {
  const tags = tagsOf(image);
  const left = tags.length === 0 ? [image.Id] : tags.filter((tag) => !isOwnTag(tag));
  const why = "it was made of one of Berth's, and has no name of theirs";
  return left.map((name) => ({ act: "leave", thing: `image ${name}`, why }));
}

/** The engine writes null for an image without labels. */
const isOurs = (labels: Record<string, string> | null): boolean =>
  labels?.[labelNames.image] !== undefined;

const inUse = (name: string): BerthError =>
  new BerthError(
    "IMAGE_IN_USE",
    `the image ${name} is in use by a sandbox's container; remove those sandboxes first`,
  );
