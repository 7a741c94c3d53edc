import type { Report } from "../progress.js";

/** How often progress is told. */
export const tellEveryMs = 250;

/** One image of a build, as far as it has come. */
interface Line {
  bytes: number;
  totalBytes: number | undefined;
}

/** What has moved of each image, and how fast: turned into progress for people. */
export class Tally {
  readonly #lines = new Map<string, Line>();
  #told = -Infinity;
  #moved = 0;
  #began: number | undefined;

  constructor(
    private readonly report: Report,
    private readonly now: () => number,
  ) {}

  expect(image: string, totalBytes?: number): void {
    this.#lines.set(image, { bytes: 0, totalBytes });
  }

  /** Told from time to time, and whenever another image's turn has come. */
  add(image: string, bytes: number): void {
    this.#began ??= this.now();
    const line = this.#lines.get(image) ?? { bytes: 0, totalBytes: undefined };
    const isNew = line.bytes === 0;
    line.bytes += bytes;
    this.#lines.set(image, line);
    this.#moved += bytes;
    if (!isNew && this.now() - this.#told < tellEveryMs) return;
    this.#tell(image, line);
  }

  get movedBytes(): number {
    return this.#moved;
  }

  /** Bytes of each image; what several share counts for the first of them. */
  images(): { name: string; bytes: number }[] {
    return [...this.#lines].map(([name, { bytes }]) => ({ name, bytes }));
  }

  #tell(image: string, { bytes, totalBytes }: Line): void {
    this.#told = this.now();
    const seconds = (this.#told - (this.#began ?? this.#told)) / 1000;
    const bytesPerSecond = seconds > 0 ? this.#moved / seconds : undefined;
    this.report("collect", image, bytes, {
      image,
      ...(totalBytes === undefined ? {} : { totalBytes }),
      ...(bytesPerSecond === undefined ? {} : { bytesPerSecond }),
      ...secondsLeft(this.#leftBytes(), bytesPerSecond),
    });
  }

  /** An upper bound: layers that images share are counted for each. */
  #leftBytes(): number {
    let left = 0;
    for (const { bytes, totalBytes = bytes } of this.#lines.values())
      left += Math.max(0, totalBytes - bytes);
    return left;
  }
}

const secondsLeft = (bytes: number, rate: number | undefined) =>
  rate === undefined || rate === 0 ? {} : { secondsLeft: bytes / rate };
