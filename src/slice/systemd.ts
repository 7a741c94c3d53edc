import { DBusError, type Message } from "dbus-next";
import { BerthError } from "../lib/errors.js";
import { BusConnection, unreachable, type MethodCall } from "./connection.js";
import { unitObjectPath } from "./escape.js";
import type { UnitProperty } from "./properties.js";

export interface ActiveUnit {
  name: string;
  description: string;
}

/** How systemd has a slice, which it may well make up where there is no file. */
export interface SliceFacts {
  /** `loaded`, `masked`, `bad-setting` and the like: systemctl(1). */
  loadState: string;
  /** The file it was loaded from; empty when there was none. */
  file: string;
  /** Its files are others than those that were loaded. */
  isStale: boolean;
  /** undefined: no bound. */
  memoryMaxBytes: number | undefined;
}

/** What Berth asks of systemd's manager. */
export interface Systemd {
  /**
   * Starts a transient unit (or makes an implicit one transient) and waits for the job.
   * `exists`: it was already loaded from a file, a transient one included, or has a job pending;
   * nothing was changed.
   */
  startTransient(name: string, properties: UnitProperty[]): Promise<"started" | "exists">;
  /** Starts a unit (no-op when active; overrules a pending stop) and waits for the job. */
  start(name: string): Promise<void>;
  /** Stops a unit with all in it and waits for the job. One that is not loaded is no error. */
  stop(name: string): Promise<void>;
  /** Changes a unit's properties, live and until it stops. `gone`: it is not loaded. */
  setProperties(name: string, properties: UnitProperty[]): Promise<"set" | "gone">;
  isLoaded(name: string): Promise<boolean>;
  /** Whether a unit was made by `startTransient`. */
  isTransient(name: string): Promise<boolean>;
  /** A slice's path in the cgroup tree (`/berth.slice/berth-ann.slice`); empty when it has none. */
  controlGroup(slice: string): Promise<string>;
  /** Whether any process runs in a unit; for a slice, anywhere below it. */
  hasProcesses(name: string): Promise<boolean>;
  /** The active units that match a shell pattern (glob(7)). */
  listActive(pattern: string): Promise<ActiveUnit[]>;
}

const manager = {
  destination: "org.freedesktop.systemd1",
  path: "/org/freedesktop/systemd1",
  interface: "org.freedesktop.systemd1.Manager",
} as const;

const jobRemovedMatch: MethodCall = {
  destination: "org.freedesktop.DBus",
  path: "/org/freedesktop/DBus",
  interface: "org.freedesktop.DBus",
  member: "AddMatch",
  signature: "s",
  body: [
    `type='signal',sender='${manager.destination}',path='${manager.path}',` +
      `interface='${manager.interface}',member='JobRemoved'`,
  ],
};

/** How systemd tells `infinity` (UINT64_MAX). */
const unbounded = 2n ** 64n - 1n;

/** The bus is there, but no systemd answers on it. */
const absent = [
  "org.freedesktop.DBus.Error.ServiceUnknown",
  "org.freedesktop.DBus.Error.NameHasNoOwner",
  "org.freedesktop.DBus.Error.NoReply",
  "org.freedesktop.DBus.Error.Disconnected",
];

/**
 * systemd over the D-Bus system bus, org.freedesktop.systemd1(5). Connects when first used, and again
 * after the bus went away. Raw messages: introspection would cost a round trip per object.
 */
export class DbusSystemd implements Systemd {
  #connection: BusConnection | undefined;
  #closed = false;

  constructor(
    private readonly options: {
      /** D-Bus address, `unix:path=/run/dbus/system_bus_socket`. */
      address: string;
      /** Deadline of a single call. */
      callTimeoutMs?: number;
      /** Deadline of a job, which for a stop includes ending what runs in the slice. */
      jobTimeoutMs?: number;
    },
  ) {}

  async startTransient(name: string, properties: UnitProperty[]): Promise<"started" | "exists"> {
    // name, mode, properties, auxiliary units
    const start = this.#runJob(name, "StartTransientUnit", "ssa(sv)a(sa(sv))", [
      name,
      "replace",
      properties,
      [],
    ]);
    const done = await unless(start, "org.freedesktop.systemd1.UnitExists");
    return done ? "started" : "exists";
  }

  async start(name: string): Promise<void> {
    await this.#runJob(name, "StartUnit", "ss", [name, "replace"]);
  }

  async stop(name: string): Promise<void> {
    const stop = this.#runJob(name, "StopUnit", "ss", [name, "replace"]);
    await unless(stop, "org.freedesktop.systemd1.NoSuchUnit");
  }

  async setProperties(name: string, properties: UnitProperty[]): Promise<"set" | "gone"> {
    const set = this.#callManager(name, "SetUnitProperties", "sba(sv)", [name, true, properties]);
    return (await unless(set, "org.freedesktop.systemd1.NoSuchUnit")) ? "set" : "gone";
  }

  async isLoaded(name: string): Promise<boolean> {
    const unit = this.#callManager(name, "GetUnit", "s", [name]);
    return (await unless(unit, "org.freedesktop.systemd1.NoSuchUnit")) !== undefined;
  }

  async isTransient(name: string): Promise<boolean> {
    return (await this.#property(name, "Unit", "Transient")) === true;
  }

  async controlGroup(slice: string): Promise<string> {
    return String(await this.#property(slice, "Slice", "ControlGroup"));
  }

  /** Loads it for that if it is not loaded yet. */
  async sliceFacts(slice: string): Promise<SliceFacts> {
    const [loadState, file, isStale, memoryMax] = await Promise.all([
      this.#property(slice, "Unit", "LoadState"),
      this.#property(slice, "Unit", "FragmentPath"),
      this.#property(slice, "Unit", "NeedDaemonReload"),
      this.#property(slice, "Slice", "MemoryMax"),
    ]);
    return {
      loadState: String(loadState),
      file: String(file),
      isStale: isStale === true,
      memoryMaxBytes: memoryMax === unbounded ? undefined : Number(memoryMax),
    };
  }

  async hasProcesses(name: string): Promise<boolean> {
    const list = this.#callManager(name, "GetUnitProcesses", "s", [name]);
    const reply = await unless(list, "org.freedesktop.systemd1.NoSuchUnit");
    return reply !== undefined && (reply.body[0] as unknown[]).length > 0;
  }

  async listActive(pattern: string): Promise<ActiveUnit[]> {
    const reply = await this.#callManager(pattern, "ListUnitsByPatterns", "asas", [
      ["active"],
      [pattern],
    ]);
    // Each unit is a struct whose first fields are these two.
    return (reply.body[0] as [string, string][]).map(([name, description]) => ({
      name,
      description,
    }));
  }

  /** Closes the connection, which would keep a process alive, for good: later calls fail. */
  close(): void {
    this.#closed = true;
    this.#connection?.close();
  }

  async #property(unit: string, kind: "Unit" | "Slice", property: string): Promise<unknown> {
    const reply = await this.#call(unit, {
      destination: manager.destination,
      path: unitObjectPath(unit),
      interface: "org.freedesktop.DBus.Properties",
      member: "Get",
      signature: "ss",
      body: [`org.freedesktop.systemd1.${kind}`, property],
    });
    return (reply.body[0] as { value: unknown }).value;
  }

  #callManager(unit: string, member: string, signature: string, body: unknown[]): Promise<Message> {
    return this.#call(unit, { ...manager, member, signature, body });
  }

  async #call(unit: string, call: MethodCall): Promise<Message> {
    try {
      return await this.#connect().call(call, this.options.callTimeoutMs ?? 10_000);
    } catch (error) {
      throw this.#explain(unit, call.member, error);
    }
  }

  /**
   * Calls a method that returns a job, and waits until systemd removes the job. The signal may arrive
   * in the same read as the reply, before the code after `await` runs: listen first, match later.
   * No `Subscribe` is needed, systemd sends a job's signals to whoever asked for it.
   */
  async #runJob(unit: string, member: string, signature: string, body: unknown[]): Promise<true> {
    const connection = this.#connect();
    const results = new Map<string, string>();
    let onResult = (): void => undefined;
    const stopListening = connection.onSignal((signal) => {
      if (signal.interface !== manager.interface || signal.member !== "JobRemoved") return;
      const [, job, , result] = signal.body as [number, string, string, string];
      // Any user of the machine may send us a signal: only systemd's own counts.
      results.set(`${signal.sender} ${job}`, result);
      onResult();
    });
    try {
      const reply = await this.#callManager(unit, member, signature, body);
      const key = `${reply.sender} ${String(reply.body[0])}`;
      const removed = new Promise<string>((resolve) => {
        onResult = () => {
          const result = results.get(key);
          if (result !== undefined) resolve(result);
        };
        onResult();
      });
      const timeoutMs = this.options.jobTimeoutMs ?? 30_000;
      const result = await connection.within(removed, `the end of ${member} ${unit}`, timeoutMs);
      if (result !== "done") throw jobFailed(unit, member, result);
      return true;
    } finally {
      stopListening();
    }
  }

  /** The live connection or a new one; at once, so that calls keep the order they were made in. */
  #connect(): BusConnection {
    if (this.#closed)
      throw unreachable(this.options.address, new Error("the connection is closed"));
    if (this.#connection && !this.#connection.lost) return this.#connection;
    const connection = new BusConnection(this.options.address);
    this.#connection = connection;
    // Sent before any call below, so the bus knows it before systemd can answer one.
    connection
      .call(jobRemovedMatch, this.options.callTimeoutMs ?? 10_000)
      .catch((error: unknown) => {
        connection.close(error);
      });
    return connection;
  }

  #explain(unit: string, member: string, error: unknown): unknown {
    if (!(error instanceof DBusError)) return error;
    if (absent.includes(error.type)) return unreachable(this.options.address, error);
    return new BerthError(
      "SLICE_FAILED",
      `systemd refused ${member} for ${unit}: ${error.text} (${error.type}); ` +
        `see systemctl status '${unit}', and does Berth run as root?`,
      { cause: error },
    );
  }
}

function jobFailed(unit: string, member: string, result: string): BerthError {
  return new BerthError(
    "SLICE_FAILED",
    `${member} of ${unit} ended with "${result}" instead of "done"; ` +
      `see systemctl status berth.slice '${unit}' and journalctl -b -u '${unit}'`,
  );
}

/** `promise`, or undefined when systemd refused with the D-Bus error of this name. */
async function unless<T>(promise: Promise<T>, errorName: string): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    const cause = error instanceof BerthError ? error.cause : undefined;
    if (cause instanceof DBusError && cause.type === errorName) return undefined;
    throw error;
  }
}
