import type { Point } from "../model/history.js";

const width = 240;
const height = 56;
const nearlyFull = 0.9;

export interface GraphProps {
  label: string;
  /** Now, in words: `300 MiB of 1 GiB`. */
  value: string;
  /** 0 to 1 of the limit; undefined when nothing is measured. */
  share: number | undefined;
  /** The last minutes, on a scale whose top is the limit. */
  points: Point[];
  /** What the line shows, for those who do not see it. */
  story: string;
}

/** One measure: now, against its limit, and how it came there. The top edge is the limit. */
export function Graph({ label, value, share, points, story }: GraphProps) {
  const isFull = (share ?? 0) >= nearlyFull;
  const line = points.map(({ x, y }) => `${round(x * width)} ${round((1 - y) * (height - 2) + 1)}`);
  const first = points[0];
  const last = points.at(-1);
  return (
    <div class={isFull ? "graph full" : "graph"}>
      <div class="graph-head">
        <span class="label">{label}</span>
        <span class="value">{value}</span>
      </div>
      <svg
        viewBox={`0 0 ${width} ${height}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${label}: ${value}. ${story}`}
      >
        <path class="grid" d={`M0 ${height / 2}H${width}`} />
        {first && last && line.length > 1 && (
          <>
            <path
              class="area"
              d={`M${round(first.x * width)} ${height}L${line.join("L")}L${round(last.x * width)} ${height}z`}
            />
            <path class="line" d={`M${line.join("L")}`} />
          </>
        )}
        <path class="limit" d={`M0 .5H${width}`} />
      </svg>
      <Bar share={share} label={label} text={value} />
    </div>
  );
}

/** How much of a limit is used, as a bar. */
export function Bar(props: { share: number | undefined; label: string; text: string }) {
  const percent = Math.round(Math.min(1, Math.max(0, props.share ?? 0)) * 100);
  return (
    <svg
      class={percent >= nearlyFull * 100 ? "bar full" : "bar"}
      viewBox="0 0 100 4"
      preserveAspectRatio="none"
      role="meter"
      aria-label={props.label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
      aria-valuetext={props.text}
    >
      <rect class="track" width="100" height="4" />
      <rect class="fill" width={percent} height="4" />
    </svg>
  );
}

const round = (value: number) => Math.round(value * 10) / 10;
