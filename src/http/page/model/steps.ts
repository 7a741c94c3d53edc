// The steps of a creation, as the page tells them. Pure.

import type { StepEvent } from "./types.js";

export interface StepRow {
  step: string;
  label: string;
  status: "waiting" | "started" | "done" | "failed";
  ms?: number;
}

/** In the order of src/lib/contract/sandbox.ts, in words that need no knowledge of our parts. */
const labels: Record<string, string> = {
  slice: "Set aside memory and processor time",
  certificates: "Make certificates, so that only you get in",
  disk: "Make a disk",
  preload: "Bring in the images that are there from the start",
  network: "Make a network",
  container: "Set up the container",
  start: "Start the Docker Engine",
  door: "Open its address and ports",
  ready: "Wait until it answers",
  check: "Check that it is held safely",
};

/** Every known step, none begun. */
export function freshSteps(): StepRow[] {
  return Object.entries(labels).map(([step, label]) => ({ step, label, status: "waiting" }));
}

/** `rows` after `event`; taking an event twice changes nothing, an unknown step is added at the end. */
export function withStep(rows: StepRow[], event: StepEvent): StepRow[] {
  const known = rows.find((row) => row.step === event.step);
  // A replay tells "started" of a step that we know is over.
  const isOver = known?.status === "done" || known?.status === "failed";
  if (isOver && event.status === "started") return rows;
  const next: StepRow = {
    step: event.step,
    label: known?.label ?? event.step,
    status: event.status,
    ...(event.ms === undefined ? {} : { ms: event.ms }),
  };
  return known ? rows.map((row) => (row === known ? next : row)) : [...rows, next];
}
