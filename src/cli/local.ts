import type { BuiltImage, DindImage } from "../lib/dind-image.js";
import type { ReapResult } from "../lib/contract/sandbox.js";

/** Verbs that work on this machine itself, in this process; main.ts plugs in what does them. */
export interface LocalVerbs {
  /** Runs the daemon; settles when it has been stopped. */
  serve(options: { config?: string }): Promise<void>;
  /** Reap without a daemon. */
  reap(options: { dryRun: boolean; config?: string }): Promise<ReapResult>;
  /** Takes Berth off this host, with `purge` all that it keeps. */
  clearHost(options: { purge: boolean; dryRun: boolean; config?: string }): Promise<ReapResult>;
  doctor(options: { config?: string }): Promise<DoctorReport>;
  image: ImageVerbs;
}

export interface ImageVerbs {
  build(
    options: {
      profile?: string;
      rebuild: boolean;
      base?: string;
      mirror?: string;
      config?: string;
    },
    onProgress: (progress: BuildProgress) => void,
    signal: AbortSignal,
  ): Promise<BuiltImage>;
  list(options: { config?: string }): Promise<{ images: DindImage[] }>;
  remove(tag: string, options: { config?: string }): Promise<void>;
}

export interface BuildProgress {
  phase: string;
  message: string;
  /** Moved so far in this phase. */
  bytes?: number;
  /** The image that is on its way, its size, and how fast all of it goes. */
  image?: string;
  totalBytes?: number;
  bytesPerSecond?: number;
  secondsLeft?: number;
  /** Since the build began. */
  seconds: number;
}

export interface DoctorReport {
  ok: boolean;
  version: string;
  /** Address of page and API. */
  url: string;
  socket: string;
  host: "embedded" | "local";
  findings: Finding[];
  /** The effective configuration. */
  config: unknown;
}

export interface Finding {
  check: string;
  status: "ok" | "warning" | "failure";
  what: string;
  fix?: string;
}
