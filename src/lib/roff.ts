import { wrap } from "./wrap.js";

// Manual pages in roff's man macros (groff_man(7)), in the part of them that groff and mandoc share.

/** Well below the 80 bytes that mandoc takes for a line that wants breaking. */
const width = 72;

/** What roff would take for something else, or typesetters for a finer sign than was meant. */
const literal: Record<string, string> = {
  "\\": "\\(rs",
  "-": "\\-",
  "'": "\\(aq",
  "`": "\\(ga",
  "^": "\\(ha",
  "~": "\\(ti",
  '"': "\\(dq",
};

/** Text that is shown sign by sign, spaces too: what may be typed or copied. */
export function literally(text: string): string {
  return oneLine(text).replace(/[\\'`^~"-]|[^ -~]/gu, (sign) => literal[sign] ?? codePoint(sign));
}

/** Text to read, in which `this` is what one types: that comes out bold. */
export function prose(text: string): string {
  const parts = oneLine(text).split(/`([^`]*)`/);
  return parts.map((part, i) => (i % 2 === 1 ? bold(part) : plain(part))).join("");
}

export function bold(text: string): string {
  return text === "" ? "" : `\\fB${literally(text)}\\fR`;
}

/** For what stands in place of something else. */
export function italic(text: string): string {
  return text === "" ? "" : `\\fI${literally(text)}\\fR`;
}

/** An apostrophe between letters may be a fine one. */
function plain(text: string): string {
  return text
    .split(/(?<=\p{L})'(?=\p{L})/u)
    .map(literally)
    .join("'");
}

function codePoint(sign: string): string {
  const hex = sign.codePointAt(0)?.toString(16).toUpperCase().padStart(4, "0") ?? "FFFD";
  return `\\[u${hex}]`;
}

// Control characters would be warned of, and mean nothing on paper.
function oneLine(text: string): string {
  return text.replace(/\r?\n|[\p{Cc}\s]/gu, " ");
}

/** A line that begins with a dot or an apostrophe would be a request. */
function guarded(line: string): string {
  return /^[.']/.test(line) ? `\\&${line}` : line;
}

/** One page; what is added to it is escaped already, by the functions above. */
export class ManPage {
  readonly #lines: string[];
  /** A paragraph begins by itself after a heading. */
  #isFresh = true;

  /** @param source what it belongs to, at the foot: `Berth 1.0` */
  constructor(name: string, section: number, source: string) {
    // No date: the same sources make the same page on any day.
    const words = [name, String(section), "", source, ""].map((word) => `"${literally(word)}"`);
    // Long words, as commands have them, make wide gaps in lines of one length, and none may be broken.
    this.#lines = [`.TH ${words.join(" ")}`, ".ad l", ".nh"];
  }

  section(title: string): this {
    return this.#heading(".SH", title);
  }

  subsection(title: string): this {
    return this.#heading(".SS", title);
  }

  paragraph(text: string): this {
    if (!this.#isFresh) this.#lines.push(".PP");
    return this.#text(text);
  }

  /** A term and what it is, indented below it. */
  term(term: string, text: string): this {
    this.#lines.push(".TP", guarded(term));
    return this.#text(text);
  }

  /** Short lines, each on its own. */
  list(lines: string[]): this {
    lines.forEach((line, i) => {
      if (i > 0) this.#lines.push(".br");
      this.#text(line);
    });
    return this;
  }

  /** Lines as they are typed, in a fixed pitch. */
  example(lines: string[]): this {
    if (!this.#isFresh) this.#lines.push(".PP");
    this.#lines.push(
      ".RS 4",
      ".EX",
      ...lines.map((line) => guarded(literally(line))),
      ".EE",
      ".RE",
    );
    this.#isFresh = false;
    return this;
  }

  toString(): string {
    return `${this.#lines.join("\n")}\n`;
  }

  #heading(macro: string, title: string): this {
    this.#lines.push(`${macro} "${literally(title)}"`);
    this.#isFresh = true;
    return this;
  }

  #text(text: string): this {
    this.#lines.push(...wrap(text, width).map(guarded));
    this.#isFresh = false;
    return this;
  }
}
