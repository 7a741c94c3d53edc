import { BerthError } from "../lib/errors.js";
import type { Limits } from "../lib/limits.js";
import type { Log } from "../lib/log.js";
import { verifyCgroupLimits } from "./cgroup-limits.js";
import { sliceName, userOfSlice } from "./escape.js";
import { removeEmptyCgroups, slicesWithCgroups } from "./leftover-cgroups.js";
import {
  sliceProperties,
  startProperties,
  type IoCeiling,
  type SliceLimits,
} from "./properties.js";
import type { ActiveUnit, Systemd } from "./systemd.js";

/** One transient slice per user below berth.slice. The caller holds a lock per user. */
export class UserSlices {
  readonly #systemd: Systemd;
  readonly #installation: string;
  readonly #io: IoCeiling | undefined;
  readonly #log: Log;
  readonly #root: string;

  constructor(parts: {
    systemd: Systemd;
    /** What marks this Berth's slices among those of others on the host. */
    installation: string;
    /** What each user may read from disks and write to them. */
    io?: IoCeiling | undefined;
    log: Log;
    /** Where /proc and the cgroup mounts are found; `/` but in tests. */
    root?: string;
  }) {
    this.#systemd = parts.systemd;
    this.#installation = parts.installation;
    this.#io = parts.io;
    this.#log = parts.log;
    this.#root = parts.root ?? "/";
  }

  /** `berth-ann.slice`. */
  nameOf(user: string): string {
    return sliceName(user);
  }

  /**
   * Starts the user's slice, or changes its limits live; resolves when the kernel holds to them.
   * A slice that this call made is gone again when it fails.
   * Errors: SYSTEMD_UNREACHABLE, SLICE_FAILED, SLICE_LIMITS_NOT_APPLIED.
   */
  async ensure(user: string, limits: Limits): Promise<void> {
    const slice = sliceName(user);
    const began = performance.now();
    const held = { ...limits, io: this.#io };
    const outcome = await this.#startOrChange(user, held);
    try {
      const cgroup = await this.#systemd.controlGroup(slice);
      await verifyCgroupLimits(slice, cgroup, held, this.#root);
    } catch (error) {
      if (outcome === "made") await this.#drop(user);
      throw error;
    }
    this.#log.debug({ slice, outcome, ms: Math.round(performance.now() - began) }, "slice ready");
  }

  /**
   * Stops the user's slice. One in which something still runs is left: it may be of another Berth on
   * this host, and what of ours ends late is found by reconcile.
   */
  async release(user: string): Promise<void> {
    const slice = sliceName(user);
    if (await this.#systemd.hasProcesses(slice)) {
      this.#log.warn({ slice }, "the slice still holds processes and is left for now");
      return;
    }
    await this.#systemd.stop(slice);
    await removeEmptyCgroups(slice, this.#root);
  }

  /** Users with a slice directly below berth.slice, or what is left of one, in which nothing runs. */
  async idleUsers(): Promise<string[]> {
    const [active, withCgroups] = await Promise.all([
      this.#systemd.listActive("berth-*.slice"),
      slicesWithCgroups(this.#root),
    ]);
    const others = new Set(active.filter((unit) => !this.#isOurs(unit)).map(({ name }) => name));
    const idle: string[] = [];
    for (const slice of new Set([...active.map(({ name }) => name), ...withCgroups])) {
      // Others are not ours: berth-a-b.slice is a child of berth-a.slice, as a user's dash is escaped.
      const user = userOfSlice(slice);
      if (user === undefined || others.has(slice)) continue;
      if (!(await this.#systemd.hasProcesses(slice))) idle.push(user);
    }
    return idle;
  }

  /**
   * By its description. An implicit slice, which systemd names after itself, was made by something
   * started in it: with nothing in it any more it is as good as ours.
   */
  #isOurs({ name, description }: ActiveUnit): boolean {
    const user = userOfSlice(name);
    const mark = / \(Berth (\w+)\)$/.exec(description)?.[1];
    return user !== undefined && (mark === undefined || mark === this.#installation);
  }

  /**
   * `made`: no slice of this name was loaded before. `changed`: one was, perhaps implicit (made by
   * systemd because something was started in it, without limits) and perhaps with processes in it.
   */
  async #startOrChange(user: string, limits: SliceLimits): Promise<"made" | "changed"> {
    const slice = sliceName(user);
    const properties = sliceProperties(limits);
    // A slice that vanishes or is just being started while we look asks for another round.
    for (let round = 1; round <= 3; round++) {
      // systemd takes messages in order, so isLoaded tells of the time before the start.
      const [wasLoaded, start] = await Promise.all([
        this.#systemd.isLoaded(slice),
        this.#systemd.startTransient(slice, [
          ...startProperties(user, this.#installation),
          ...properties,
        ]),
      ]);
      if (start === "started") return wasLoaded ? "changed" : "made";
      const isOurs = await this.#systemd.isTransient(slice);
      if (isOurs && (await this.#systemd.setProperties(slice, properties)) === "set") {
        // No-op when active; a slice that is stopping, or stopped but still referred to, starts again.
        await this.#systemd.start(slice);
        return "changed";
      }
      // An implicit slice with its job still pending: once active, it takes startTransient's limits.
      if (!isOurs) await this.#systemd.start(slice);
    }
    throw new BerthError(
      "SLICE_FAILED",
      `cannot give ${slice} its limits: systemd loads it from a unit file of its own; ` +
        `remove what systemctl cat '${slice}' shows, then systemctl daemon-reload`,
    );
  }

  /** Stops a slice that is of no use, without hiding why. */
  async #drop(user: string): Promise<void> {
    try {
      await this.release(user);
    } catch (error) {
      this.#log.error({ err: error, slice: sliceName(user) }, "a slice without limits stays");
    }
  }
}
