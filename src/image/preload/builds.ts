import { mkdir } from "node:fs/promises";
import { BerthError, codeOf } from "../../lib/errors.js";
import { lockDataDirectory } from "../../lib/lock.js";
import type { DockerHost } from "./builder.js";
import { hasLeftovers, sweep } from "./make.js";
import type { Places } from "./places.js";

/** Builds of preloads: one at a time, and before and after one nothing is left of any. */
export class Builds {
  constructor(
    private readonly docker: DockerHost,
    private readonly places: Places,
  ) {}

  /** @throws BerthError ALREADY_RUNNING while there is another build, and what `act` throws */
  async alone<T>(act: () => Promise<T>): Promise<T> {
    const lock = await this.#lock();
    try {
      await sweep(this.docker, this.places);
      return await act();
    } finally {
      try {
        await sweep(this.docker, this.places);
      } finally {
        await lock.release();
      }
    }
  }

  /** Whether one was broken off; removes what is left of it, unless it is a dry run. */
  async collect(dryRun: boolean): Promise<boolean> {
    if (!(await hasLeftovers(this.places))) return false;
    try {
      // Held by a build under way.
      const lock = await this.#lock();
      try {
        if (!dryRun) await sweep(this.docker, this.places);
      } finally {
        await lock.release();
      }
    } catch (error) {
      if (codeOf(error) === "ALREADY_RUNNING") return false;
      throw error;
    }
    return true;
  }

  async #lock(): Promise<{ release: () => Promise<void> }> {
    await mkdir(this.places.dir, { recursive: true, mode: 0o700 });
    return lockDataDirectory(this.places.dir).catch((error: unknown) => {
      if (codeOf(error) !== "ALREADY_RUNNING") throw error;
      const message = "another build of a preload is under way; wait for its end";
      throw new BerthError("ALREADY_RUNNING", message, { cause: error });
    });
  }
}
