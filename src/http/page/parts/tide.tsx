import { formatCountdown, formatWhen, urgency } from "../model/format.js";

/** Time as the tide: the boat lies as high as there is time left, and at low water the colour changes. */
export function Tide({ leftMs, wholeMs }: { leftMs: number; wholeMs: number }) {
  const level = Math.min(1, Math.max(0, leftMs / Math.max(wholeMs, 1)));
  // The water's surface: y from 20 (full) to 62 (empty) in a box of 96 by 72.
  const surface = Math.round((62 - 42 * level) * 4) / 4;
  return (
    <svg class={`tide ${urgency(leftMs)}`} viewBox="0 0 96 72" aria-hidden="true">
      <path class="quay" d="M0 14h10v58H0z" />
      {[20, 34, 48, 62].map((y) => (
        <path key={y} class="mark" d={`M10 ${y}h5`} />
      ))}
      <g transform={`translate(0 ${surface})`}>
        <path class="hull" d="M38 -4h34l-6 9H44z" />
        <path class="box" d="M44 -11h7v6h-7zM52.500 -11h7v6h-7zM48.250 -18h7v6h-7z" />
        <path class="mast" d="M66 -4v-17" />
        <path class="water" d="M10 0q7 -3 14 0t14 0t14 0t14 0t14 0t16 0V80H10z" />
      </g>
    </svg>
  );
}

/** The countdown beside the tide. */
export function Clock({ expiresAt, now }: { expiresAt: string; now: number }) {
  const leftMs = Date.parse(expiresAt) - now;
  const isOver = urgency(leftMs) === "over";
  return (
    <div class={`clock ${urgency(leftMs)}`}>
      <span class="clock-value" role="timer" aria-label="Time left">
        {formatCountdown(leftMs)}
      </span>
      <span class="clock-label">
        {isOver ? "Time is up" : `left, ends ${formatWhen(expiresAt, now)}`}
      </span>
    </div>
  );
}
