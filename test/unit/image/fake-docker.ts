import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import type { DockerImages } from "../../../src/image/engine-images.js";

interface FakeImage {
  Id: string;
  RepoTags: string[];
  Created: number;
  Size: number;
  Labels: Record<string, string> | null;
}

class EngineError extends Error {
  constructor(
    readonly statusCode: number,
    message: string,
  ) {
    super(message);
  }
}

/** An engine that keeps images: what the image part calls of it, and no more. */
export class FakeDocker {
  images: FakeImage[] = [];
  /** ImageIDs of containers. */
  containers: string[] = [];
  /** Value of the label `berth.installation` on those containers that are another Berth's. */
  strangers: string[] = [];
  /** Options of every build and import. */
  builds: Record<string, unknown>[] = [];
  /** What the next import or build answers in its stream instead of success. */
  failure: string | undefined;
  /** What every call fails with. */
  down: Error | undefined;
  #made = 0;

  add(tag: string, labels: Record<string, string> | null, created = 1): string {
    const Id = `sha256:${String(++this.#made).padStart(4, "0")}`;
    this.#untag(tag);
    this.images.push({ Id, RepoTags: [tag], Created: created, Size: 1000, Labels: labels });
    return Id;
  }

  asDocker(): DockerImages {
    const fake = {
      getImage: (name: string) => ({
        inspect: () => this.#inspect(name),
        remove: () => this.#remove(name),
        tag: ({ repo, tag }: { repo: string; tag: string }) => this.#tag(name, `${repo}:${tag}`),
      }),
      listImages: (options: { filters: string }) => this.#list(options.filters),
      listContainers: (options: { filters?: string }) =>
        this.#up(
          options.filters === undefined
            ? this.containers.map((ImageID) => ({ ImageID }))
            : this.strangers.map((id) => ({ Labels: { "berth.installation": id } })),
        ),
      importImage: (file: Readable, options: Record<string, unknown>) => this.#take(file, options),
      buildImage: (file: Readable, options: Record<string, unknown>) => this.#take(file, options),
    };
    return fake as unknown as DockerImages;
  }

  #up<T>(value: T): Promise<T> {
    return this.down ? Promise.reject(this.down) : Promise.resolve(value);
  }

  async #find(name: string): Promise<FakeImage> {
    await this.#up(undefined);
    const image = this.images.find(({ Id, RepoTags }) => Id === name || RepoTags.includes(name));
    if (!image) throw new EngineError(404, `No such image: ${name}`);
    return image;
  }

  async #inspect(name: string) {
    const image = await this.#find(name);
    return { ...image, Config: { Labels: image.Labels } };
  }

  async #remove(name: string): Promise<void> {
    const image = await this.#find(name);
    if (image.RepoTags.length > 1) {
      if (name === image.Id) throw new EngineError(409, "image is referenced more than once");
      image.RepoTags = image.RepoTags.filter((tag) => tag !== name);
      return;
    }
    if (this.containers.includes(image.Id)) throw new EngineError(409, "image is being used");
    this.images = this.images.filter(({ Id }) => Id !== image.Id);
  }

  async #tag(name: string, tag: string): Promise<void> {
    const image = await this.#find(name);
    this.#untag(tag);
    image.RepoTags.push(tag);
  }

  #untag(tag: string): void {
    for (const image of this.images) image.RepoTags = image.RepoTags.filter((t) => t !== tag);
  }

  #list(filters: string): Promise<FakeImage[]> {
    const { label } = JSON.parse(filters) as { label: string[] };
    const wanted = label.map((one) => one.split("="));
    const matches = (labels: Record<string, string> | null) =>
      wanted.every(
        ([name = "", value]) =>
          labels?.[name] !== undefined && (value === undefined || labels[name] === value),
      );
    return this.#up(this.images.filter(({ Labels }) => matches(Labels)));
  }

  async #take(file: Readable, options: Record<string, unknown>): Promise<Readable> {
    await this.#up(undefined);
    await buffer(file);
    this.builds.push(options);
    if (this.failure !== undefined) {
      return Readable.from([`{"stream":"Step 1"}\r\n{"error":"${this.failure}"}\r\n`]);
    }
    this.add(String(options["t"]), options["labels"] as Record<string, string>);
    return Readable.from(['{"stream":"Step 1"}\n{"str', 'eam":"Step 2"}\n']);
  }
}
