/** One measured thing. */
export interface Row {
  what: string;
  values: number[];
  unit: string;
  /** What the median should not exceed. */
  aim?: number;
}

/** A table of medians, ranges and aims. */
export function formatTable(rows: Row[]): string {
  const cells = [
    ["what", "n", "median", "min", "max", "aim", ""],
    ...rows.map(({ what, values, unit, aim }) => [
      what,
      String(values.length),
      `${number(median(values), unit)} ${unit}`.trim(),
      number(Math.min(...values), unit),
      number(Math.max(...values), unit),
      aim === undefined ? "" : `<= ${aim}`,
      aim === undefined ? "" : median(values) <= aim ? "reached" : "NOT REACHED",
    ]),
  ];
  const widths = (cells[0] ?? []).map((_, column) =>
    Math.max(...cells.map((row) => row[column]?.length ?? 0)),
  );
  return cells
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? NaN)) / 2;
}

/** Ratios (`x`) have their aims in the second decimal. */
function number(value: number, unit: string): string {
  if (unit === "x") return value.toFixed(2);
  return value.toFixed(value < 10 && !Number.isInteger(value) ? 1 : 0);
}

/** Progress, out of the table's way. */
export function quietly(text: string): void {
  process.stderr.write(`${text}\n`);
}
