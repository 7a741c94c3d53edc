import { execFileSync, spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { branchesOf, treeOf } from "../../../src/cli/completion/tree.js";
import { files, variables } from "../../../src/cli/guide.js";
import { exampleLines, helpOf } from "../../../src/cli/verb.js";
import { documentedProgram, shareFiles } from "../../../src/share-files.js";

const program = documentedProgram("1.2.3");
const branches = branchesOf(treeOf(program));
const all = shareFiles("1.2.3");
const pages = ["man/man1/berth.1", "man/man5/berth.yaml.5"];

/** The page as it is read: without fonts, signs as they are. */
function read(page: string): string {
  const signs: Record<string, string> = { rs: "\\", aq: "'", ga: "`", ha: "^", ti: "~", dq: '"' };
  return (all[page] ?? "")
    .replace(/\\f[BIR]/g, "")
    .replace(/\\&/g, "")
    .replaceAll("\\-", "-")
    .replace(/\\\((..)/g, (_, name: string) => signs[name] ?? "?");
}

describe("the manual page berth(1)", () => {
  const text = read("man/man1/berth.1");
  const oneLine = text.replace(/\s+/g, " ");

  it("has every verb, with its words, options, arguments and examples", () => {
    const leaves = branches.filter((branch) => branch.branches.length === 0);
    expect(leaves.length).toBeGreaterThan(20);
    for (const { path: words, flags, places } of leaves) {
      const name = ["berth", ...words].join(" ");
      const part = text.split(`.SS "${name}`)[1]?.split("\n.S")[0] ?? "";
      expect(part, name).not.toBe("");
      for (const flag of flags.filter(({ words }) => !words.includes("--help")))
        if (!["--json", "--url"].includes(flag.words[0] ?? ""))
          expect(part, name).toContain(`.TP\n${flag.words.join(", ")}`);
      for (const { label } of places) expect(part, name).toContain(`.TP\n${label}`);
    }
    for (const command of program.commands.flatMap((one) => [one, ...one.commands])) {
      const help = helpOf(command);
      if (!help || help.hidden || command.commands.length > 0) continue;
      expect(oneLine).toContain(help.about.replaceAll("`", "").replace(/\s+/g, " "));
      for (const line of exampleLines(help)) expect(text).toContain(`\n${line}\n`);
    }
    expect(text).not.toContain("complete-names");
  });

  it("has the options, variables, files and exit codes that hold for all", () => {
    const of = (section: string) => text.split(`.SH "${section}"\n`)[1]?.split("\n.SH")[0] ?? "";
    for (const flag of ["-V, --version", "--json", "--url url", "-h, --help"])
      expect(of("OPTIONS")).toContain(`.TP\n${flag}\n`);
    for (const [name] of variables) expect(of("ENVIRONMENT")).toContain(`.TP\n${name}\n`);
    for (const [file] of files) expect(of("FILES")).toContain(`.TP\n${file}\n`);
    for (const code of [0, 1, 2, 130]) expect(of("EXIT STATUS")).toContain(`.TP\n${code}\n`);
    expect(of("NAME")).toMatch(/^berth - a Docker Engine/);
    expect(of("EXAMPLES")).toContain("\nberth create alice --ttl 2h\n");
  });
});

const has = (command: string) => spawnSync(command, ["--version"]).error === undefined;

describe.skipIf(!has("mandoc"))("mandoc (skipped where it is not installed)", () => {
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(path.join(tmpdir(), "berth-man-"));
  });
  afterAll(() => rm(dir, { recursive: true }));

  it.each(pages)("finds nothing in %s but that it has no date", async (page) => {
    const file = path.join(dir, path.basename(page));
    await writeFile(file, all[page] ?? "");
    const { stdout } = spawnSync("mandoc", ["-Tlint", file], { encoding: "utf8" });
    const found = stdout
      .split("\n")
      .filter((line) => line !== "" && !line.includes("missing date"));
    expect(found).toEqual([]);
    const shown = execFileSync("mandoc", ["-Tutf8", file], { encoding: "utf8" });
    expect(shown).toContain("Berth 1.2.3");
  });
});
