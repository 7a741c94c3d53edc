import { BerthError } from "../../src/lib/errors.js";
import type { UnitProperty } from "../../src/slice/properties.js";
import type { ActiveUnit, Systemd } from "../../src/slice/systemd.js";

interface FakeUnit {
  /** transient: by startTransient; implicit: by something started in it; file: an operator's unit file. */
  origin: "transient" | "implicit" | "file";
  active: boolean;
  /** Another unit refers to it: it stays loaded when it stops. */
  referenced: boolean;
  /** A start is under way: active when it is awaited. */
  starting: boolean;
  properties: Record<string, unknown>;
  /** Something runs in it. */
  busy: boolean;
}

/** What a kernel would do: `properties` is undefined when the cgroup is removed. */
type Realise = (cgroup: string, properties: Record<string, unknown> | undefined) => void;

/** systemd's manager as far as slices go, with the rules measured on systemd 252 and 257. */
export class FakeSystemd implements Systemd {
  readonly units = new Map<string, FakeUnit>();
  /** Each call, in order: `startTransient berth-ann.slice`. */
  readonly calls: string[] = [];
  /** Set it, and every call fails with it. */
  failure: Error | undefined;

  constructor(private readonly realise: Realise = () => undefined) {}

  /** A unit that was there before Berth. */
  load(name: string, unit: Partial<FakeUnit> = {}): void {
    this.units.set(name, {
      origin: "implicit",
      active: true,
      referenced: false,
      starting: false,
      properties: {},
      busy: false,
      ...unit,
    });
  }

  startTransient(name: string, properties: UnitProperty[]): Promise<"started" | "exists"> {
    return this.#call(`startTransient ${name}`, () => {
      const unit = this.units.get(name);
      if (unit && (unit.origin !== "implicit" || unit.starting)) return "exists";
      this.load(name, { ...unit, origin: "transient", active: true });
      this.#apply(name, properties);
      return "started";
    });
  }

  start(name: string): Promise<void> {
    return this.#call(`start ${name}`, () => {
      if (!this.units.has(name)) this.load(name);
      const unit = this.#unit(name);
      unit.active = true;
      unit.starting = false;
      this.#apply(name, []);
    });
  }

  stop(name: string): Promise<void> {
    return this.#call(`stop ${name}`, () => {
      const unit = this.units.get(name);
      if (!unit) return;
      unit.active = false;
      if (!unit.referenced) this.units.delete(name);
      this.realise(cgroupOf(name), undefined);
    });
  }

  setProperties(name: string, properties: UnitProperty[]): Promise<"set" | "gone"> {
    return this.#call(`setProperties ${name}`, () => {
      if (!this.units.has(name)) return "gone";
      this.#apply(name, properties);
      return "set";
    });
  }

  isLoaded(name: string): Promise<boolean> {
    return this.#call(`isLoaded ${name}`, () => this.units.has(name));
  }

  isTransient(name: string): Promise<boolean> {
    return this.#call(`isTransient ${name}`, () => this.units.get(name)?.origin === "transient");
  }

  hasProcesses(name: string): Promise<boolean> {
    return this.#call(`hasProcesses ${name}`, () => this.units.get(name)?.busy ?? false);
  }

  controlGroup(slice: string): Promise<string> {
    return this.#call(`controlGroup ${slice}`, () =>
      this.units.get(slice)?.active ? cgroupOf(slice) : "",
    );
  }

  listActive(pattern: string): Promise<ActiveUnit[]> {
    return this.#call(`listActive ${pattern}`, () =>
      [...this.units].flatMap(([name, { active, properties }]) => {
        const given = properties["Description"];
        const description = typeof given === "string" ? given : `Slice /${name}`;
        return active && matchesStar(name, pattern) ? [{ name, description }] : [];
      }),
    );
  }

  #apply(name: string, properties: UnitProperty[]): void {
    const unit = this.#unit(name);
    for (const [property, { value }] of properties) unit.properties[property] = value;
    if (unit.active) this.realise(cgroupOf(name), unit.properties);
  }

  #unit(name: string): FakeUnit {
    const unit = this.units.get(name);
    if (!unit) throw new BerthError("SLICE_FAILED", `Unit ${name} not loaded.`);
    return unit;
  }

  // Takes effect when called, answers later: as over a bus.
  #call<T>(call: string, act: () => T): Promise<T> {
    this.calls.push(call);
    if (this.failure) return Promise.reject(this.failure);
    const result = act();
    return new Promise((resolve) =>
      setImmediate(() => {
        resolve(result);
      }),
    );
  }
}

function cgroupOf(slice: string): string {
  return `/berth.slice/${slice}`;
}

/** A shell pattern with one star. */
function matchesStar(name: string, pattern: string): boolean {
  const [before = "", after = ""] = pattern.split("*");
  return name.startsWith(before) && name.endsWith(after);
}
