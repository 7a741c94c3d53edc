import type Docker from "dockerode";
import { pack, type Pack } from "tar-stream";
import { BerthError } from "../lib/errors.js";
import { engineCall } from "../lib/engine-call.js";
import { followAnswer, type DockerImages } from "./engine-images.js";
import { startRoot, type Root } from "./mmdebstrap.js";
import type { Report } from "./progress.js";
import { contentOf, dpkgOptions, filesInPlace, type Recipe, type RecipeFolder } from "./recipe.js";
import { copyRoot, packFiles, readable } from "./root-tar.js";
import { readAptSources, sourcesForSuite } from "./sources.js";

export interface BuildRequest {
  docker: DockerImages;
  folder: RecipeFolder;
  tag: string;
  labels: Record<string, string>;
  rebuild: boolean;
  workDir: string;
  mirror?: string | undefined;
  environment: Record<string, string>;
  report: Report;
  signal: AbortSignal;
}

/** Progress is told each time this much more has gone to the engine. */
const reportEveryBytes = 4 * 1024 ** 2;

/**
 * Makes a Debian root and imports it as it grows: nothing is kept in memory or in a file.
 * Aborted or failed, the engine sees its request broken off and keeps no image.
 * @throws BerthError IMAGE_BUILD_FAILED, ENGINE_UNREACHABLE, DISK_FULL
 */
export async function importRoot(request: BuildRequest): Promise<void> {
  const { folder, report } = request;
  const sources = sourcesForSuite(folder.recipe.suite, await readAptSources());
  const failed = new AbortController();
  const signal = AbortSignal.any([request.signal, failed.signal]);
  const root = await startRoot({
    ...request,
    recipe: folder.recipe,
    sources,
    signal,
    onMessage: (message) => {
      report("packages", message);
    },
  });
  const tar = pack();
  signal.addEventListener("abort", () => {
    root.tar.destroy();
    tar.destroy();
  });
  // The first failure is the cause; it ends the other side, whose failure follows from it.
  let cause: Error | undefined;
  const fail = (error: Error) => {
    cause ??= error;
    failed.abort();
  };
  try {
    await Promise.all([
      feed(root, tar, folder, report).catch(fail),
      engineCall(
        "import the image",
        () => importTar(request, tar, signal),
        "IMAGE_BUILD_FAILED",
      ).catch(fail),
    ]);
  } finally {
    tar.destroy();
    await root.dispose();
  }
  if (request.signal.aborted) throw interrupted();
  if (cause !== undefined) throw cause;
}

/** Copies the root into the engine's tar, and ends that only when mmdebstrap says that all is well. */
async function feed(root: Root, tar: Pack, folder: RecipeFolder, report: Report): Promise<void> {
  const changes = { drop: folder.recipe.drop, add: filesInPlace(folder) };
  try {
    await copyRoot(root.tar, tar, changes, byteReporter(report));
  } catch (error) {
    root.tar.destroy();
    // A tar that breaks off is mostly mmdebstrap's failure, which says more.
    await root.finished;
    throw error;
  }
  await root.finished;
  tar.finalize();
}

function byteReporter(report: Report): (bytes: number) => void {
  let sent = 0;
  let told = 0;
  return (bytes) => {
    sent += bytes;
    if (told > 0 && sent - told < reportEveryBytes) return;
    told = sent;
    report("import", "sending the root to the engine", sent);
  };
}

async function importTar(request: BuildRequest, tar: Pack, signal: AbortSignal): Promise<void> {
  const { docker, folder, labels } = request;
  const [repo, name] = request.tag.split(":");
  const answer = await docker.importImage(readable(tar), {
    repo,
    tag: name,
    changes: [
      ...instructionsOf(folder.recipe),
      ...Object.entries(labels).map(([label, value]) => `LABEL ${label}=${value}`),
    ],
    abortSignal: signal,
  });
  await followAnswer(answer, () => undefined);
}

const instructionsOf = ({ entrypoint, command, stopSignal }: Recipe): string[] => [
  ...(entrypoint === undefined ? [] : [`ENTRYPOINT ${JSON.stringify(entrypoint)}`]),
  ...(command === undefined ? [] : [`CMD ${JSON.stringify(command)}`]),
  ...(stopSignal === undefined ? [] : [`STOPSIGNAL ${stopSignal}`]),
];

/**
 * Lets the engine build the image on a base, from images/dind/Dockerfile.
 * @throws BerthError IMAGE_BUILD_FAILED, ENGINE_UNREACHABLE, DISK_FULL
 */
export async function buildOnBase(request: BuildRequest & { base: string }): Promise<void> {
  const { folder, base } = request;
  const context = packFiles([
    { path: "/Dockerfile", mode: 0o644, content: contentOf(folder.files, "Dockerfile") },
    ...filesInPlace(folder).map((file) => ({ ...file, path: `/rootfs${file.path}` })),
  ]);
  await buildContext({
    ...request,
    context,
    buildargs: {
      BASE: base,
      PACKAGES: folder.recipe.packages.join(" "),
      DPKG_OPTIONS: dpkgOptions(folder.recipe).join(" "),
    },
  });
}

export type ContextRequest = Pick<
  BuildRequest,
  "docker" | "tag" | "labels" | "rebuild" | "report" | "signal"
> & {
  /** Dockerfile and all that it copies. */
  context: Pack;
  buildargs: { BASE: string; [name: string]: string };
  dockerfile?: string;
};

/**
 * Lets the engine build a Dockerfile, with its classic builder.
 * @throws BerthError IMAGE_BUILD_FAILED, ENGINE_UNREACHABLE, DISK_FULL
 */
export async function buildContext(request: ContextRequest): Promise<void> {
  const { docker, context, tag, labels, buildargs, report, signal } = request;
  const options: Docker.ImageBuildOptions = {
    t: tag,
    labels,
    buildargs,
    forcerm: true,
    nocache: request.rebuild,
    version: "1",
    abortSignal: signal,
    ...(request.dockerfile === undefined ? {} : { dockerfile: request.dockerfile }),
  };
  report("base", `building on ${buildargs.BASE}`);
  try {
    await engineCall(
      `build the image ${tag} on ${buildargs.BASE}`,
      async () => {
        const answer = await docker.buildImage(readable(context), options);
        await followAnswer(answer, (message) => {
          report("base", message);
        });
      },
      "IMAGE_BUILD_FAILED",
    );
  } catch (error) {
    throw signal.aborted ? interrupted() : error;
  } finally {
    context.destroy();
  }
}

const interrupted = (): BerthError =>
  new BerthError("IMAGE_BUILD_FAILED", "the build was interrupted; no image was made");
