import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Pack } from "tar-stream";
import { z } from "zod";

// The OCI image layout (github.com/opencontainers/image-spec, image-layout.md), as far as it is read here.

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
  const { manifests } = index.parse(await readJson(dir, "index.json"));
  const entries: LoadEntry[] = [];
  for (const found of manifests) entries.push(...(await readEntry(dir, found, architecture)));
  if (entries.length === 0) throw new Error(`it holds no image for ${architecture}`);
  const unnamed = entries.find(({ RepoTags }) => RepoTags.length === 0);
  if (unnamed) throw new Error("index.json names no image (org.opencontainers.image.ref.name)");
  const blobs = [...new Set(entries.flatMap(({ Config, Layers }) => [Config, ...Layers]))];
  const sizes = await Promise.all(blobs.map(async (blob) => (await stat(join(dir, blob))).size));
  return { entries, blobs, sizeBytes: sizes.reduce((sum, size) => sum + size, 0) };
}

async function readEntry(
  dir: string,
  found: Descriptor,
  architecture: string,
): Promise<LoadEntry[]> {
  if (found.platform && found.platform.architecture !== architecture) return [];
  const json = await readJson(dir, pathOf(found));
  const name = nameKeys.map((key) => found.annotations?.[key]).find((value) => value);
  const nested = index.safeParse(json);
  if (nested.success) {
    const inner = nested.data.manifests.map((one) => ({
      ...one,
      annotations: { ...found.annotations, ...one.annotations },
    }));
    return (await Promise.all(inner.map((one) => readEntry(dir, one, architecture)))).flat();
  }
  const { config, layers } = manifest.parse(json);
  return [
    {
      Config: pathOf(config),
      RepoTags: name === undefined ? [] : [tagged(name)],
      Layers: layers.map(pathOf),
    },
  ];
}

/** The engine takes no name without a tag. */
const tagged = (name: string): string => (/:[^/]+$/.test(name) ? name : `${name}:latest`);

async function readJson(dir: string, path: string): Promise<unknown> {
  return JSON.parse(await readFile(join(dir, path), "utf8"));
}

/** Writes the layout into `target`, file by file as a stream, and ends it. */
export async function packLayout(dir: string, layout: Layout, target: Pack): Promise<void> {
  for (const path of layout.blobs) {
    const { size } = await stat(join(dir, path));
    await pipeline(
      createReadStream(join(dir, path)),
      // tar-stream's streams are streamx's: they pipe with Node's, and only their types differ.
      target.entry({ name: path, size, mtime: new Date(0) }) as unknown as NodeJS.WritableStream,
    );
  }
  target.entry({ name: "manifest.json", mtime: new Date(0) }, JSON.stringify(layout.entries));
  target.finalize();
}
