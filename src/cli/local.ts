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
  /** @param options.sandboxes the number that the kernel's limits are held against */
  doctor(options: { config?: string; sandboxes?: number }): Promise<DoctorReport>;
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

/** What one check has found. Checks are told in docs/doctor.md. */
export type Finding = InOrder | Fault;

export interface InOrder {
  check: string;
  status: "ok";
  what: string;
  why?: never;
  fix?: never;
}

export interface Fault {
  check: string;
  /** `failure`: sandboxes cannot be made, or not be held. `warning`: all else. */
  status: "warning" | "failure";
  what: string;
  /** What comes of it for Berth and its users. */
  why: string;
  /** What mends it, a command where there is one; several lines are several commands. */
  fix?: string;
}
