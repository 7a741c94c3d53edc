import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import { incidentKinds, sandboxStates } from "../lib/contract/sandbox.js";
import type { Provisioner } from "../provisioner/provisioner.js";

/**
 * How often the lag of the event loop is looked at, ms. prom-client's own 10 wake the daemon a hundred times
 * a second, for 0.7 % of a processor whether there are sandboxes or not.
 */
const eventLoopLookEveryMs = 250;

/** What Prometheus reads: counts and times only, no name of a user or sandbox. */
export class Metrics {
  readonly #registry = new Registry();

  constructor(provisioner: Provisioner, keys: { available: number; size: number }) {
    const registers = [this.#registry];
    collectDefaultMetrics({
      register: this.#registry,
      eventLoopMonitoringPrecision: eventLoopLookEveryMs,
    });
    new Gauge({
      name: "berth_sandboxes",
      help: "Sandboxes known, by state",
      labelNames: ["state"],
      registers,
      collect() {
        const records = provisioner.list();
        for (const state of sandboxStates) {
          this.set({ state }, records.filter((record) => record.state === state).length);
        }
      },
    });
    new Gauge({
      name: "berth_key_pool_available",
      help: "RSA keys generated ahead",
      registers,
      collect() {
        this.set(keys.available);
      },
    });
    new Gauge({
      name: "berth_key_pool_size",
      help: "RSA keys generated ahead when the pool is full",
      registers,
      collect() {
        this.set(keys.size);
      },
    });
    const creations = new Counter({
      name: "berth_creations_total",
      help: "Creations ended, by result",
      labelNames: ["result"],
      registers,
    });
    const createSeconds = new Histogram({
      name: "berth_create_seconds",
      help: "From request to answering engine",
      buckets: [0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30, 60],
      registers,
    });
    const stepSeconds = new Histogram({
      name: "berth_step_seconds",
      help: "Single steps of a creation",
      labelNames: ["step"],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
      registers,
    });
    const incidents = new Counter({
      name: "berth_incidents_total",
      help: "What limits did to sandboxes, by kind; repeats of the same thing are not counted",
      labelNames: ["kind"],
      registers,
    });
    for (const kind of incidentKinds) incidents.inc({ kind }, 0);
    provisioner.events.onAny((_id, { type, data }) => {
      if (type === "incident") incidents.inc({ kind: data.kind });
      else if (type === "step") {
        if (data.ms !== undefined) stepSeconds.observe({ step: data.step }, data.ms / 1000);
      } else if (data.state === "ready" && data.ms !== undefined) {
        creations.inc({ result: "ready" });
        createSeconds.observe(data.ms / 1000);
      } else if (data.problem) {
        creations.inc({ result: "failed" });
      }
    });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }
}
