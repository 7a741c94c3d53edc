import { formatMs } from "../../model/format.js";
import type { StepRow } from "../../model/steps.js";
import type { Story } from "../../model/story.js";

const statusWords = { waiting: "waiting", started: "under way", done: "done", failed: "failed" };

/** The steps of a creation, each with its state and how long it took. */
export function Steps({ story, isOpen }: { story: Story; isOpen: boolean }) {
  const lastBegun = story.steps.findLastIndex(({ status }) => status !== "waiting");
  // Left out by the server, as later steps have begun.
  const shown = story.steps.filter((row, i) => row.status !== "waiting" || i > lastBegun);
  const done = story.steps.filter(({ status }) => status === "done").length;
  const list = (
    <ol class="steps">
      {shown.map((row) => (
        <li key={row.step} class={row.status}>
          <span class="label">{row.label}</span>
          <span class="unseen"> {statusWords[row.status]} </span>
          <span class="time">{timeOf(row)}</span>
        </li>
      ))}
    </ol>
  );
  if (!isOpen) {
    return (
      <details class="more">
        <summary>How it was made</summary>
        {list}
      </details>
    );
  }
  return (
    <section class="panel making" aria-label="Steps">
      <svg class="progress" viewBox="0 0 100 2" preserveAspectRatio="none" aria-hidden="true">
        <rect class="track" width="100" height="2" />
        <rect class="fill" width={(100 * done) / Math.max(shown.length, 1)} height="2" />
      </svg>
      {list}
    </section>
  );
}

const timeOf = ({ status, ms }: StepRow) =>
  status === "started" ? "…" : ms === undefined ? "" : formatMs(ms);
