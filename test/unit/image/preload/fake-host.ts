import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pack } from "tar-stream";
import { pino } from "pino";
import { labelNames, repository } from "../../../../src/image/digest.js";
import type { Images } from "../../../../src/image/images.js";
import { preloadLabels, wantedOf } from "../../../../src/image/preload/identity.js";
import {
  Preloads,
  type PreloadProfile,
  type PreloadsOptions,
} from "../../../../src/image/preload/preloads.js";
import { FakeDocker } from "../fake-docker.js";

/** The recipe of the dind image, as today's Berth has it. */
export const recipe = "recipe-of-today";

/** A host with directories, an engine's images and containers, and a table of mounts. */
export class FakeHost {
  readonly docker = new FakeDocker();
  /** Of preloads alone, by name. */
  readonly containers = new Set<string>();
  /** Programs that were run. */
  readonly ran: string[] = [];
  /** Mount points that cannot be unmounted. */
  readonly busy = new Set<string>();
  /** What an image has at the store's place; undefined fails the read. */
  archive: (() => Readable) | undefined = () => tarOf("file");

  private constructor(readonly dir: string) {}

  static async start(): Promise<FakeHost> {
    const host = new FakeHost(await mkdtemp(join(tmpdir(), "berth-unit-preloads-")));
    await writeFile(host.#mountinfo, "");
    return host;
  }

  stop = (): Promise<void> => rm(this.dir, { recursive: true });

  get #mountinfo(): string {
    return join(this.dir, "mountinfo");
  }

  preloads(profiles: PreloadProfile[]): Preloads {
    return new Preloads({
      docker: {
        ...this.docker.asDocker(),
        ...this.#containers(),
      } as unknown as PreloadsOptions["docker"],
      images: { recipe: () => Promise.resolve(recipe) } as unknown as Images,
      profiles,
      dataDir: this.dir,
      runDir: join(this.dir, "run"),
      mark: "0123abcd",
      log: pino({ level: "silent" }),
      exec: this.#exec,
      mountinfo: this.#mountinfo,
    });
  }

  /** An image that carries a preload for a list of images. */
  addCarrier(
    preload: string,
    images: string[],
    { created = 1, ofRecipe = recipe }: { created?: number; ofRecipe?: string } = {},
  ): string {
    const labels = {
      [preloadLabels.preload]: preload,
      [preloadLabels.wanted]: wantedOf(images),
      [labelNames.recipe]: ofRecipe,
    };
    return this.docker.add(`${repository}:${preload}`, labels, created);
  }

  async addStore(...preloads: string[]): Promise<void> {
    await mkdir(join(this.dir, "preloads"), { recursive: true });
    for (const preload of preloads)
      await writeFile(join(this.dir, "preloads", `${preload}.erofs`), "store");
  }

  /** What is in the directory of stores, the lock aside. */
  async files(): Promise<string[]> {
    const files = await readdir(join(this.dir, "preloads")).catch(() => []);
    return files.filter((file) => file !== "lock").sort();
  }

  async mounts(): Promise<string[]> {
    const lines = (await readFile(this.#mountinfo, "utf8")).split("\n").filter(Boolean);
    return lines.filter((line) => line.includes(" erofs ")).map((line) => line.split(" ")[4] ?? "");
  }

  #exec = async (file: string, args: readonly string[]): Promise<string> => {
    this.ran.push([file, ...args].join(" "));
    const at = args.at(-1) ?? "";
    if (file === "mount") {
      const type = args.includes("erofs") ? "erofs" : "tmpfs";
      await appendFile(this.#mountinfo, `1 1 0:1 / ${at} ro shared:1 - ${type} /dev/loop7 ro\n`);
    }
    if (file === "umount") {
      if (this.busy.has(at)) throw new Error("target is busy");
      const lines = (await readFile(this.#mountinfo, "utf8")).split("\n");
      const others = lines.filter((line) => line.split(" ")[4] !== at);
      await writeFile(this.#mountinfo, others.join("\n"));
    }
    return "";
  };

  #containers() {
    const missing = Object.assign(new Error("No such container"), { statusCode: 404 });
    return {
      createContainer: ({ name = "" }: { name?: string }) => {
        this.containers.add(name);
        return Promise.resolve();
      },
      getContainer: (name: string) => ({
        remove: () => (this.containers.delete(name) ? Promise.resolve() : Promise.reject(missing)),
        getArchive: () =>
          this.archive ? Promise.resolve(this.archive()) : Promise.reject(new Error("cut off")),
      }),
    };
  }
}

export function tarOf(type: "file" | "directory"): Readable {
  const tar = pack();
  if (type === "file") tar.entry({ name: "store.erofs" }, "store");
  else tar.entry({ name: "store.erofs/", type });
  tar.finalize();
  return Readable.from(tar);
}
