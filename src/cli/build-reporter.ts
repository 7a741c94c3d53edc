import { formatDuration, formatSize } from "../lib/units.js";
import type { BuildProgress } from "./local.js";
import type { Progress } from "./progress.js";

/** A line for each phase and each image as it begins; on a terminal also how far it is. */
export class BuildReporter {
  #last: string | undefined;

  constructor(private readonly progress: Progress) {}

  readonly tell = (step: BuildProgress): void => {
    const { phase, message, seconds, image = "" } = step;
    const at = `  ${seconds.toFixed(1).padStart(5)} s  `;
    if (`${phase} ${image}` !== this.#last) {
      this.#last = `${phase} ${image}`;
      this.progress.line(`${at}${phase}: ${message}`);
    }
    // Last what a narrow terminal may cut off.
    this.progress.update(at + [measuresOf(step), message].filter(Boolean).join("  "));
  };
}

function measuresOf({ bytes, totalBytes, bytesPerSecond, secondsLeft }: BuildProgress): string {
  const moved = bytes === undefined ? undefined : formatSize(bytes);
  const parts = [
    moved !== undefined && totalBytes !== undefined
      ? `${moved} of ${formatSize(totalBytes)}`
      : moved,
    bytesPerSecond === undefined ? undefined : `${formatSize(bytesPerSecond)}/s`,
    secondsLeft === undefined ? undefined : `${formatDuration(secondsLeft * 1000)} left`,
  ];
  return parts.filter((part) => part !== undefined).join(", ");
}
