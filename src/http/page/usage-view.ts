import { el, setText } from "./dom.js";
import { coresBetween, formatSize, fraction } from "./format.js";
import type { Limits, Usage } from "./types.js";

interface Meter {
  bar: HTMLDivElement;
  value: HTMLSpanElement;
}

/** Four meters: what the sandbox uses of its limits. */
export class UsageView {
  readonly #memory: Meter;
  readonly #cpu: Meter;
  readonly #pids: Meter;
  readonly #disk: Meter;
  #before: { at: string; seconds: number } | undefined;

  constructor(root: HTMLElement, limits: Limits) {
    this.#memory = addMeter(root, "Memory");
    this.#cpu = addMeter(root, "Processors");
    this.#disk = addMeter(root, "Disk");
    this.#pids = addMeter(root, "Processes");
    this.clear(limits);
  }

  /** Shows the limits alone: nothing is measured. */
  clear(limits: Limits): void {
    this.#before = undefined;
    setMeter(this.#memory, undefined, `up to ${formatSize(limits.memoryBytes)}`);
    setMeter(this.#cpu, undefined, `up to ${limits.cpus}`);
    setMeter(this.#disk, undefined, `up to ${formatSize(limits.diskBytes)}`);
    setMeter(this.#pids, undefined, `up to ${limits.pids}`);
  }

  show({ at, memory, cpu, pids, disk }: Usage): void {
    setMeter(this.#memory, fraction(memory.usedBytes, memory.limitBytes), ofSizes(memory));
    // The file system keeps a part of the disk for itself: what can be filled is used and free.
    const room = disk.usedBytes + disk.freeBytes;
    setMeter(this.#disk, fraction(disk.usedBytes, room), ofSizes(disk));
    setMeter(this.#pids, fraction(pids.used, pids.limit), `${pids.used} of ${pids.limit}`);
    const now = { at, seconds: cpu.usedSeconds };
    const cores = this.#before && coresBetween(this.#before, now);
    this.#before = now;
    if (cores === undefined) return;
    const text = `${cores.toFixed(2)} of ${cpu.limitCpus}`;
    setMeter(this.#cpu, fraction(cores, cpu.limitCpus), text);
  }
}

const ofSizes = ({ usedBytes, limitBytes }: { usedBytes: number; limitBytes: number }) =>
  `${formatSize(usedBytes)} of ${formatSize(limitBytes)}`;

function addMeter(root: HTMLElement, label: string): Meter {
  const bar = el("div", { class: "fill" });
  const value = el("span", { class: "value" });
  const track = el("div", {
    class: "track",
    role: "meter",
    "aria-label": label,
    "aria-valuemin": "0",
    "aria-valuemax": "100",
    "aria-valuenow": "0",
  });
  track.append(bar);
  root.append(el("div", { class: "meter" }, el("span", { class: "label" }, label), value, track));
  return { bar, value };
}

const nearlyFull = 0.9;

function setMeter({ bar, value }: Meter, share: number | undefined, text: string): void {
  setText(value, text);
  const percent = Math.round((share ?? 0) * 100);
  // By the style object: a style attribute would be refused by the content security policy.
  bar.style.width = `${percent}%`;
  bar.classList.toggle("full", (share ?? 0) >= nearlyFull);
  bar.parentElement?.setAttribute("aria-valuenow", String(percent));
  bar.parentElement?.setAttribute("aria-valuetext", text);
}
