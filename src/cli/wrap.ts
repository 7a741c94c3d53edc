/** Longer lines are hard to read; terminals of today have as many columns. */
const lineWidth = 100;

/** Text in lines below each other, all but the first indented as deep as the first begins. */
export function wrap(first: string, text: string, width = lineWidth): string[] {
  const indent = " ".repeat(first.length);
  const lines: string[] = [];
  let line = first;
  for (const word of text.split(" ")) {
    const isEmpty = line.length === first.length;
    if (!isEmpty && line.length + 1 + word.length > width) {
      lines.push(line);
      line = indent + word;
    } else line += isEmpty ? word : ` ${word}`;
  }
  return [...lines, line];
}
