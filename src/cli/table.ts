/** Rows with their columns aligned, two spaces between; the last column is not padded. */
export function alignColumns(rows: string[][]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    });
  }
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

/** `label  value` lines below a heading, indented. */
export function detailLines(details: [label: string, value: string][]): string[] {
  return alignColumns(details).map((line) => `  ${line}`);
}
