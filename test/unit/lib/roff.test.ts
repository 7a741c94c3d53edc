import { describe, expect, it } from "vitest";
import { bold, italic, literally, ManPage, prose } from "../../../src/lib/roff.js";

describe("text for roff", () => {
  it.each([
    ["--json", String.raw`\-\-json`],
    [String.raw`C:\new`, String.raw`C:\(rsnew`],
    ['it\'s "so"', String.raw`it\(aqs \(dqso\(dq`],
    ["~/x^2 `y`", String.raw`\(ti/x\(ha2 \(gay\(ga`],
    ["Größe …", String.raw`Gr\[u00F6]\[u00DF]e \[u2026]`],
    ["😀", String.raw`\[u1F600]`],
    ["a\tb\u0007c\nd", "a b c d"],
    ["  two  spaces", "  two  spaces"],
  ])("%j comes out sign by sign", (text, roff) => {
    expect(literally(text)).toBe(roff);
  });

  it("shows what one types in bold, and what stands for something else in italics", () => {
    expect(prose("a user's `--ttl 2h` is so")).toBe(String.raw`a user's \fB\-\-ttl 2h\fR is so`);
    expect(bold("x\\y")).toBe(String.raw`\fBx\(rsy\fR`);
    expect(italic("name")).toBe(String.raw`\fIname\fR`);
    expect(bold("") + italic("")).toBe("");
  });
});

describe("a manual page", () => {
  const page = () => new ManPage("X", 1, "Y 1.0");
  const head = '.TH "X" "1" "" "Y 1.0" ""\n.ad l\n.nh\n';

  it("takes no text for a request of roff", () => {
    const text = page()
      .section('The "end"')
      .paragraph(prose(".so /etc/passwd"))
      .paragraph(prose("'\\\" quoted"))
      .term(prose(".de"), prose(".."))
      .example([".ig", "'x"])
      .toString();
    const requests = text.split("\n").filter((line) => /^[.']/.test(line));
    expect(requests.map((line) => line.slice(0, 3))).toEqual([
      ".TH",
      ".ad",
      ".nh",
      ".SH",
      ".PP",
      ".TP",
      ".PP",
      ".RS",
      ".EX",
      ".EE",
      ".RE",
    ]);
    expect(text).toContain("\\&.so /etc/passwd");
    expect(text).toContain('.SH "The \\(dqend\\(dq"');
  });

  it("breaks text between words, and guards the lines it makes", () => {
    const text = page()
      .section("S")
      .paragraph(prose(`${"word ".repeat(14)}.hidden`))
      .toString();
    expect(text).toBe(`${head}.SH "S"\n${"word ".repeat(14).trim()}\n\\&.hidden\n`);
  });

  it("separates paragraphs, but not the first from its heading", () => {
    const text = page().section("S").paragraph("a").paragraph("b").subsection("T").paragraph("c");
    expect(text.toString()).toBe(`${head}.SH "S"\na\n.PP\nb\n.SS "T"\nc\n`);
  });

  it("keeps the spaces of an example", () => {
    const text = page().section("S").example(["a:", "  b: 1"]).toString();
    expect(text).toContain(".RS 4\n.EX\na:\n  b: 1\n.EE\n.RE\n");
  });
});
