/** How a build goes, for a person who waits. */
export interface BuildProgress {
  /**
   * `packages`: Debian packages are fetched and installed. `import`: the root goes to the engine.
   * `base`: the engine builds on a base image. Of a preload, `images`: what it needs is looked up,
   * `collect`: images go to the engine of the build, `store`: that unpacks them, `seal`: the store is
   * written, `image`: it is put into an image.
   */
  phase: "packages" | "import" | "base" | "images" | "collect" | "store" | "seal" | "image";
  message: string;
  /** Sent so far; of one image when there is one. */
  bytes?: number;
  /** The image that is on its way. */
  image?: string;
  totalBytes?: number;
  bytesPerSecond?: number;
  /** Until all images have been sent, at this rate. */
  secondsLeft?: number;
  /** Since the build began. */
  seconds: number;
}

export type OnProgress = (progress: BuildProgress) => void;

type Measures = Omit<BuildProgress, "phase" | "message" | "bytes" | "seconds">;

/** Tells of a phase and a message; adds the time since it was made. */
export type Report = (
  phase: BuildProgress["phase"],
  message: string,
  bytes?: number,
  measures?: Measures,
) => void;

export function reporter(onProgress: OnProgress | undefined, now: () => number): Report {
  const began = now();
  return (phase, message, bytes, measures) =>
    onProgress?.({
      phase,
      message,
      ...(bytes === undefined ? {} : { bytes }),
      ...measures,
      seconds: (now() - began) / 1000,
    });
}
