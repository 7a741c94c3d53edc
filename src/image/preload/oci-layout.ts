import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Pack } from "tar-stream";
import { z } from "zod";

// The OCI image layout (github.com/opencontainers/image-spec, image-layout.md), as far as it is read here.
// A layout may come from anywhere: what is read whole is small and has the digest it is called by, and
// only files are read. That layers are what the image's configuration says is seen by the engine.

/** What registries take at most for a manifest (distribution-spec, "Pushing Manifests"). */
const largestDocumentBytes = 4 * 1024 ** 2;
/** Indexes in index.json; one for several architectures is one. */
const deepestIndex = 3;
/** Of all images together: an index that names another many times would have it read as often. */
const mostDocuments = 5000;

const descriptor = z.object({
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/, "must be a sha256 digest"),
  annotations: z.record(z.string(), z.string()).optional(),
  platform: z.object({ architecture: z.string(), os: z.string() }).optional(),
});
const index = z.object({ manifests: z.array(descriptor).min(1) });
const manifest = z.object({ config: descriptor, layers: z.array(descriptor) });
type Descriptor = z.infer<typeof descriptor>;

/** What `docker load` reads in a tar beside the blobs, one entry for each image. */
interface LoadEntry {
  Config: string;
  RepoTags: string[];
  Layers: string[];
}

/** An image layout as `docker load` takes it: blobs by their path, and how many bytes they are. */
export interface Layout {
  entries: LoadEntry[];
  blobs: string[];
  sizeBytes: number;
}

const pathOf = ({ digest }: Descriptor): string => `blobs/${digest.replace(":", "/")}`;

/** Names under which tools note an image in index.json. */
const nameKeys = ["io.containerd.image.name", "org.opencontainers.image.ref.name"];

/** Reads what images a layout holds, those of other architectures left out. */
export async function readLayout(dir: string, architecture: string): Promise<Layout> {
  const { manifests } = index.parse(parse(await readDocument(join(dir, "index.json"))));
  const reader = new Reader(dir, architecture);
  const entries: LoadEntry[] = [];
  for (const found of manifests) entries.push(...(await reader.entriesOf(found)));
  if (entries.length === 0) throw new Error(`it holds no image for ${architecture}`);
  const unnamed = entries.find(({ RepoTags }) => RepoTags.length === 0);
  if (unnamed) throw new Error("index.json names no image (org.opencontainers.image.ref.name)");
  const blobs = [...new Set(entries.flatMap(({ Config, Layers }) => [Config, ...Layers]))];
  let sizeBytes = 0;
  for (const blob of blobs) {
    await using file = await openFile(join(dir, blob));
    sizeBytes += (await file.stat()).size;
  }
  return { entries, blobs, sizeBytes };
}

class Reader {
  #documents = 0;

  constructor(
    private readonly dir: string,
    private readonly architecture: string,
  ) {}

  async entriesOf(found: Descriptor, depth = 0): Promise<LoadEntry[]> {
    if (found.platform && found.platform.architecture !== this.architecture) return [];
    if (depth > deepestIndex) throw new Error("its indexes lie too deep in one another");
    const json = await this.#read(found);
    const nested = index.safeParse(json);
    if (nested.success) {
      const entries: LoadEntry[] = [];
      for (const one of nested.data.manifests) {
        const annotations = { ...found.annotations, ...one.annotations };
        entries.push(...(await this.entriesOf({ ...one, annotations }, depth + 1)));
      }
      return entries;
    }
    const { config, layers } = manifest.parse(json);
    await this.#read(config);
    const name = nameKeys.map((key) => found.annotations?.[key]).find((value) => value);
    return [
      {
        Config: pathOf(config),
        RepoTags: name === undefined ? [] : [tagged(name)],
        Layers: layers.map(pathOf),
      },
    ];
  }

  async #read(found: Descriptor): Promise<unknown> {
    if (++this.#documents > mostDocuments) throw new Error("it names too many documents");
    const path = pathOf(found);
    const bytes = await readDocument(join(this.dir, path));
    const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
    if (digest !== found.digest) throw new Error(`${path} has another digest (${digest})`);
    return parse(bytes);
  }
}

/** The engine takes no name without a tag. */
const tagged = (name: string): string => (/:[^/]+$/.test(name) ? name : `${name}:latest`);

/** Without waiting for one: a pipe that nobody writes to would be waited for without end. */
async function openFile(path: string): Promise<FileHandle> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw new Error(`${path} is no file`);
}

async function readDocument(path: string): Promise<Buffer> {
  await using file = await openFile(path);
  const { size } = await file.stat();
  if (size > largestDocumentBytes) throw new Error(`${path} is larger than 4 MiB`);
  return await file.readFile();
}

const parse = (document: Buffer): unknown => JSON.parse(document.toString());

/** Writes the layout into `target`, file by file as a stream, and ends it. */
export async function packLayout(dir: string, layout: Layout, target: Pack): Promise<void> {
  for (const path of layout.blobs) {
    await using file = await openFile(join(dir, path));
    const { size } = await file.stat();
    await pipeline(
      file.createReadStream({ autoClose: false }),
      // tar-stream's streams are streamx's: they pipe with Node's, and only their types differ.
      target.entry({ name: path, size, mtime: new Date(0) }) as unknown as NodeJS.WritableStream,
    );
  }
  target.entry({ name: "manifest.json", mtime: new Date(0) }, JSON.stringify(layout.entries));
  target.finalize();
}
