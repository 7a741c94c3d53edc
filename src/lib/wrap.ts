/** Lines of at most `width` characters, broken between words; a longer word has a line of its own. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/).filter(Boolean)) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = "";
    }
    line += line === "" ? word : ` ${word}`;
  }
  return line === "" ? lines : [...lines, line];
}

/** Longer lines are hard to read; terminals of today have as many columns. */
const lineWidth = 100;

/** Text in lines below each other, all but the first indented as deep as the first begins. */
export function wrapHanging(first: string, text: string, width = lineWidth): string[] {
  const [head = "", ...rest] = wrap(text, width - first.length);
  return [first + head, ...rest.map((line) => " ".repeat(first.length) + line)];
}
