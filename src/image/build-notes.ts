import { readdir, readFile, unlink } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { imageBuild, type ImageBuild } from "../lib/contract/host.js";
import { ignoring } from "../lib/errors.js";
import type { Log } from "../lib/log.js";
import { writeWhole } from "../lib/write-whole.js";
import type { OnProgress } from "./progress.js";

/** How often a build writes down how it goes, also while it has nothing new to say. */
const everyMs = 1_000;
/** A note older than this is of a build that hangs or is no more, whatever its process id says. */
const freshMs = 15_000;

const note = z.strictObject({
  ...imageBuild.shape,
  pid: z.int(),
  writtenAt: z.iso.datetime(),
});

export interface BuildNotesOptions {
  dataDir: string;
  log: Log;
  now?: () => Date;
  pid?: number;
  isRunning?: (pid: number) => boolean;
}

/**
 * How builds go, for who looks from outside: they run in processes of their own, of which the daemon
 * knows nothing. Each has a file, `<dataDir>/builds/<pid>.json` (mode 0600), while it lasts.
 */
export class BuildNotes {
  readonly #dir: string;
  readonly #log: Log;
  readonly #now: () => Date;
  readonly #pid: number;
  readonly #isRunning: (pid: number) => boolean;

  constructor(options: BuildNotesOptions) {
    this.#dir = join(options.dataDir, "builds");
    this.#log = options.log;
    this.#now = options.now ?? (() => new Date());
    this.#pid = options.pid ?? process.pid;
    this.#isRunning = options.isRunning ?? isRunning;
  }

  /**
   * Runs a build and notes what it reports, from its first report on: one that finds nothing to do is
   * none. Notes that cannot be written are no reason to end it.
   * @param profile whose images are built; undefined for the image that all start from
   */
  async during<T>(
    profile: string | undefined,
    build: (onProgress: OnProgress) => Promise<T>,
  ): Promise<T> {
    const startedAt = this.#now().toISOString();
    let latest: ImageBuild | undefined;
    let writing = Promise.resolve();
    const write = () => {
      if (latest) writing = writing.then(this.#write.bind(this, latest));
    };
    const timer = setInterval(write, everyMs);
    try {
      return await build(({ phase, message, image, bytes, totalBytes, secondsLeft }) => {
        const isFirst = latest === undefined;
        const measures = { image, bytes, totalBytes, secondsLeft };
        latest = { profile, startedAt, phase, message, ...measures };
        if (isFirst) write();
      });
    } finally {
      clearInterval(timer);
      await writing;
      await this.#tidy();
    }
  }

  /** Builds under way, the oldest first. */
  async read(): Promise<ImageBuild[]> {
    const notes = (await this.#notes()).filter(
      ({ pid, writtenAt }) =>
        this.#now().getTime() - Date.parse(writtenAt) < freshMs && this.#isRunning(pid),
    );
    return notes
      .map((one) => imageBuild.parse(one))
      .sort((a, b) => a.startedAt.localeCompare(b.startedAt));
  }

  async #write(build: ImageBuild): Promise<void> {
    const text = JSON.stringify({
      ...build,
      pid: this.#pid,
      writtenAt: this.#now().toISOString(),
    });
    await writeWhole(this.#path(this.#pid), `${text}\n`).catch((error: unknown) => {
      this.#log.warn({ err: error }, "how the build goes cannot be written down");
    });
  }

  /** Ours goes, and what killed builds have left. */
  async #tidy(): Promise<void> {
    const left = (await this.#notes()).filter(({ pid }) => !this.#isRunning(pid));
    for (const pid of [this.#pid, ...left.map((one) => one.pid)]) {
      await ignoring(unlink(this.#path(pid)), "ENOENT").catch((error: unknown) => {
        this.#log.warn({ err: error }, "the note of a build cannot be removed");
      });
    }
  }

  /** What cannot be read, or is no note of ours, is none. */
  async #notes(): Promise<z.output<typeof note>[]> {
    const files = await readdir(this.#dir).catch((): string[] => []);
    const notes = await Promise.all(
      files
        .filter((file) => /^\d+\.json$/.test(file))
        .map((file) => readNote(join(this.#dir, file))),
    );
    return notes.filter((one) => one !== undefined);
  }

  #path(pid: number): string {
    return join(this.#dir, `${pid}.json`);
  }
}

async function readNote(path: string): Promise<z.output<typeof note> | undefined> {
  try {
    return note.parse(JSON.parse(await readFile(path, "utf8")));
  } catch {
    return undefined;
  }
}

/** Signal 0 only asks (kill(2)); EPERM would say that there is one, but root is told all. */
function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
