/** How a build goes, for a person who waits. */
export interface BuildProgress {
  /**
   * `packages`: Debian packages are fetched and installed. `import`: the root goes to the engine.
   * `base`: the engine builds on a base image.
   */
  phase: "packages" | "import" | "base";
  message: string;
  /** Sent to the engine so far. */
  bytes?: number;
  /** Since the build began. */
  seconds: number;
}

export type OnProgress = (progress: BuildProgress) => void;

/** Tells of a phase and a message; adds the time since it was made. */
export type Report = (phase: BuildProgress["phase"], message: string, bytes?: number) => void;

export function reporter(onProgress: OnProgress | undefined, now: () => number): Report {
  const began = now();
  return (phase, message, bytes) =>
    onProgress?.({
      phase,
      message,
      ...(bytes === undefined ? {} : { bytes }),
      seconds: (now() - began) / 1000,
    });
}
