import { join } from "node:path";
import type { BuiltExercise, BuiltImage } from "../lib/dind-image.js";
import { engineCall } from "../lib/engine-call.js";
import { BerthError } from "../lib/errors.js";
import { buildContext, importRoot } from "./build.js";
import { debianArchitecture, identify, labelsOf, tagOf } from "./digest.js";
import { findImage, type DockerImages } from "./engine-images.js";
import { exerciseNames, readContext, toolbox } from "./exercise-folder.js";
import type { BuildOptions, ImagesOptions } from "./images.js";
import { reporter } from "./progress.js";
import { readRecipe } from "./recipe.js";
import { packFiles } from "./root-tar.js";

/** All that a build of one image needs, the defaults applied. */
type Build = ReturnType<Exercises["with"]>;

/**
 * Images of images/exercises, in the host's Docker Engine. All stand on one base, so they share its
 * layer: a Debian root by mmdebstrap, or the image that the operator names.
 */
export class Exercises {
  readonly #options: ImagesOptions;
  readonly #dir: string;

  constructor(options: ImagesOptions) {
    this.#options = options;
    this.#dir = join(options.imagesDir, "exercises");
  }

  /** Every image there is: the exercises, then the toolbox that holds their files. */
  async names(): Promise<string[]> {
    return [...(await exerciseNames(this.#dir)), toolbox];
  }

  /**
   * Builds an exercise's image unless one of the same inputs is there; the plain name (`latest`) is its
   * own afterwards.
   * @throws BerthError INVALID_REQUEST when there is no such exercise, IMAGE_BUILD_FAILED,
   *   ENGINE_UNREACHABLE, DISK_FULL
   */
  async build(name: string, options: BuildOptions = {}): Promise<BuiltExercise> {
    const build = this.with(options);
    const files = await readContext(this.#dir, name);
    const base = build.base ?? (await this.#buildBase(build));
    const image = `exercise-${name}`;
    const identity = identify({ files, architecture: debianArchitecture(), base });
    const tag = tagOf(identity, image);
    const built = await unlessThere(build, tag, () =>
      buildContext({
        ...build,
        tag,
        labels: labelsOf(identity, image),
        buildargs: { BASE: base },
        context: packFiles(
          files.map((file) => ({
            path: `/${file.name}`,
            mode: file.executable ? 0o755 : 0o644,
            content: file.content,
          })),
        ),
      }),
    );
    await this.#callLatest(tag, image);
    return { name, references: [tag, `berth/${image}:latest`], ...built };
  }

  /** The request of one build. */
  with(options: BuildOptions) {
    const { docker, log } = this.#options;
    const now = this.#options.now ?? Date.now;
    return {
      docker,
      log,
      now,
      base: options.base ?? this.#options.base,
      mirror: options.mirror ?? this.#options.mirror,
      rebuild: options.rebuild ?? false,
      workDir: this.#options.workDir ?? "/var/tmp",
      environment: this.#options.environment ?? {},
      report: reporter(options.onProgress, now),
      signal: options.signal ?? new AbortController().signal,
    };
  }

  /** A Debian root of our own; it stays as it is when an exercise alone is built again. */
  async #buildBase(build: Build): Promise<string> {
    const folder = await readRecipe(join(this.#dir, "base"));
    const identity = identify({ files: folder.files, architecture: debianArchitecture() });
    const tag = tagOf(identity, "exercise-base");
    await unlessThere({ ...build, rebuild: false }, tag, () =>
      importRoot({ ...build, folder, tag, labels: labelsOf(identity, "exercise-base") }),
    );
    return tag;
  }

  /** compose.yaml and people call it without a digest. */
  async #callLatest(tag: string, image: string): Promise<void> {
    await engineCall(`tag the image ${tag}`, () =>
      this.#options.docker.getImage(tag).tag({ repo: `berth/${image}`, tag: "latest" }),
    );
  }
}

async function unlessThere(
  { docker, rebuild, now, log }: Pick<Build, "rebuild" | "now" | "log"> & { docker: DockerImages },
  tag: string,
  make: () => Promise<void>,
): Promise<BuiltImage> {
  const began = now();
  const before = rebuild ? undefined : await findImage(docker, tag);
  if (before) return { tag, built: false, sizeBytes: before.Size, seconds: 0 };
  await make();
  const image = await findImage(docker, tag);
  if (!image) throw new BerthError("IMAGE_BUILD_FAILED", `the engine did not keep ${tag}`);
  const seconds = (now() - began) / 1000;
  log.info({ tag, sizeBytes: image.Size, seconds }, "image built");
  return { tag, built: true, sizeBytes: image.Size, seconds };
}
