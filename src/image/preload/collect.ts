import { createReadStream } from "node:fs";
import { Transform, type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type Docker from "dockerode";
import { pack } from "tar-stream";
import { messageOf } from "../../lib/errors.js";
import { followAnswer } from "../engine-images.js";
import type { Report } from "../progress.js";
import { readable } from "../root-tar.js";
import type { DockerHost } from "./builder.js";
import { TarMeter } from "./meter.js";
import { packLayout, readLayout } from "./oci-layout.js";
import { failedImage, type Source } from "./sources.js";
import type { Tally } from "./tally.js";

export interface CollectRequest {
  /** The host's engine, and the one of the build. */
  docker: DockerHost;
  engine: Docker;
  /** As Docker names it: amd64. */
  architecture: string;
  tally: Tally;
  report: Report;
  signal: AbortSignal;
}

type Of<Kind extends Source["kind"]> = Extract<Source, { kind: Kind }>;

const isOf =
  <Kind extends Source["kind"]>(kind: Kind) =>
  (source: Source): source is Of<Kind> =>
    source.kind === kind;

/**
 * Brings every image into the engine of the build, as a stream from where it is: nothing is kept in
 * memory or in a file of ours. Files come first: one holds whatever names its maker wrote into it, and
 * what the profile names must be what the host's engine or the registry has under that name.
 * @throws BerthError IMAGE_BUILD_FAILED, naming the image
 */
export async function collect(request: CollectRequest, sources: Source[]): Promise<void> {
  const known = new Set<string>();
  for (const source of sources) {
    // An image by another name once more brings nothing.
    const isNew = "sizeBytes" in source && !known.has(source.identity);
    request.tally.expect(source.name, isNew ? source.sizeBytes : undefined);
    known.add(source.identity);
  }
  for (const source of sources.filter(isOf("tar"))) await collectTar(request, source);
  for (const source of sources.filter(isOf("oci"))) await collectLayout(request, source);
  const saved = sources.filter(isOf("engine"));
  if (saved.length > 0) await collectSaved(request, saved);
  for (const source of sources.filter(isOf("registry"))) await pull(request, source);
}

/** All of them in one stream, in which what they have in common comes once. */
async function collectSaved(request: CollectRequest, sources: Of<"engine">[]): Promise<void> {
  const { docker, tally, signal, report } = request;
  // A layer's blob has the name of its digest (since Docker 25; before, all counts for the first image).
  const owners = new Map<string, string>();
  for (const { name, layers } of sources.toReversed())
    for (const layer of layers) owners.set(layer.replace(/^sha256:/, ""), name);
  const first = sources[0]?.name ?? "";
  let owner = first;
  const ownerOf = (entry: string) => owners.get(entry.replace(/^.*\//, "")) ?? owner;
  const meter = new TarMeter((bytes, entry) => {
    owner = ownerOf(entry);
    tally.add(owner, bytes);
  });
  report("collect", `saving ${sources.map(({ name }) => name).join(", ")}`);
  try {
    const stream = await saveImages(
      docker,
      sources.map(({ name }) => name),
      signal,
    );
    await load(request, stream, meter, (layer) => {
      // Told by the first digits of the layer it is at.
      for (const [digest, name] of owners) if (digest.startsWith(layer)) owner = name;
    });
  } catch (error) {
    throw failedImage(owner, messageOf(error), error);
  }
}

/** GET /images/get with several names, which dockerode has no call for. */
function saveImages(docker: DockerHost, names: string[], signal: AbortSignal): Promise<Readable> {
  const request = {
    path: "/images/get?",
    options: { names },
    method: "GET",
    isStream: true,
    abortSignal: signal,
    statusCodes: { 200: true, 404: "no such image", 500: "server error" },
  };
  return new Promise((resolve, reject) => {
    docker.modem.dial(request, (error, stream) => {
      if (error) reject(error);
      else resolve(stream as Readable);
    });
  });
}

async function collectTar(request: CollectRequest, { name }: Of<"tar">): Promise<void> {
  // Perhaps compressed, so nothing to be followed but its size.
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      request.tally.add(name, chunk.length);
      done(null, chunk);
    },
  });
  try {
    await load(request, createReadStream(name), meter);
  } catch (error) {
    throw failedImage(name, messageOf(error), error);
  }
}

async function collectLayout(request: CollectRequest, { name }: Of<"oci">): Promise<void> {
  try {
    const layout = await readLayout(name, request.architecture);
    request.tally.expect(name, layout.sizeBytes);
    const tar = pack();
    const meter = new TarMeter((bytes) => {
      request.tally.add(name, bytes);
    });
    const packed = packLayout(name, layout, tar);
    // Its failure ends the tar, and with that the load.
    packed.catch((error: unknown) => {
      tar.destroy(error as Error);
    });
    await load(request, readable(tar), meter);
    await packed;
  } catch (error) {
    throw failedImage(name, messageOf(error), error);
  }
}

/** Gives the engine a tar as `docker load` does. */
async function load(
  { engine, signal, report }: CollectRequest,
  source: NodeJS.ReadableStream,
  meter: Transform,
  onLayer: (layer: string) => void = () => undefined,
): Promise<void> {
  let cause: Error | undefined;
  const sent = pipeline(source, meter, { signal, end: true }).catch((error: unknown) => {
    cause ??= error as Error;
    // dockerode breaks its request off when what it sends fails.
    meter.destroy(error as Error);
  });
  try {
    const answer = await engine.loadImage(meter, { quiet: false, abortSignal: signal });
    await followAnswer(answer, (message, layer) => {
      if (layer !== undefined) onLayer(layer);
      report("store", message);
    });
    await sent;
  } catch (error) {
    throw cause ?? error;
  } finally {
    // Which breaks the request off, and the source with it, if they have not ended.
    meter.destroy();
  }
  if (cause !== undefined) throw cause;
}

async function pull(
  { engine, signal, report, tally }: CollectRequest,
  { name }: Of<"registry">,
): Promise<void> {
  tally.add(name, 0);
  try {
    const answer = await engine.pull(name, { abortSignal: signal });
    await followAnswer(answer, (message) => {
      report("collect", `pulling ${name}: ${message}`);
    });
  } catch (error) {
    const why = `the host's engine does not have it, and pulling it failed: ${messageOf(error)}`;
    throw failedImage(name, why, error);
  }
}
