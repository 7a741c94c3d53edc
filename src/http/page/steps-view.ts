import { announce, el, setText } from "./dom.js";
import { formatMs } from "./format.js";
import { freshSteps, withStep, type StepRow } from "./steps.js";
import type { StepEvent } from "./types.js";

const statusWords = { waiting: "waiting", started: "under way", done: "done", failed: "failed" };

/** The list of steps of one creation, each with its state and how long it took. */
export class StepsView {
  #rows: StepRow[] = freshSteps();
  readonly #items: HTMLLIElement[] = [];

  constructor(private readonly list: HTMLOListElement) {
    this.#draw();
  }

  take(event: StepEvent): void {
    const before = this.#rows;
    this.#rows = withStep(before, event);
    this.#draw();
    const row = this.#rows.find(({ step }) => step === event.step);
    const wasOver = before.find(({ step }) => step === event.step)?.status === event.status;
    if (row && !wasOver && event.status !== "started") {
      announce(`${row.label}: ${timeOf(row)} ${statusWords[row.status]}`);
    }
  }

  /** Whether anything has been told of this creation. */
  get begun(): boolean {
    return this.#rows.some(({ status }) => status !== "waiting");
  }

  #draw(): void {
    const lastBegun = this.#rows.findLastIndex(({ status }) => status !== "waiting");
    this.#rows.forEach((row, index) => {
      const item = (this.#items[index] ??= this.list.appendChild(newItem()));
      item.className = row.status;
      // Left out by the server, as later steps have begun.
      item.hidden = row.status === "waiting" && index < lastBegun;
      const [label, word, time] = item.children;
      if (!label || !word || !time) return;
      setText(label, row.label);
      setText(word, statusWords[row.status]);
      setText(time, timeOf(row));
    });
  }
}

const newItem = () =>
  el(
    "li",
    {},
    el("span", { class: "label" }),
    el("span", { class: "unseen" }),
    el("span", { class: "time" }),
  );

const timeOf = ({ status, ms }: StepRow) =>
  status === "started" ? "…" : ms === undefined ? "" : formatMs(ms);
