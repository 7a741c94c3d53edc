import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { configDocument, withConfigTable } from "../../scripts/config-table.js";
import { parseConfig } from "../../src/config.js";
import { configExample, configManual } from "../../src/config-manual.js";
import { explain, flatten, keysOf } from "../../src/config-keys.js";
import { sampleConfig } from "../../src/config-sample.js";
import { configSchema } from "../../src/config-schema.js";

const file = "/etc/berth/berth.yaml";
const keys = flatten(keysOf(configSchema));
const sample = sampleConfig();

/** Takes the first # of each line away, as the file's head says. */
const uncommented = sample.replace(/^#/gm, "");
/** And that of the examples: `#key:` and what is indented below it, but not `# words`. */
const withExamples = uncommented.replace(/^( *)#(?=\S| {2})/gm, "$1");

describe("the sample configuration", () => {
  it("says nothing as it is", () => {
    expect(parse(sample)).toBeNull();
    for (const line of sample.split("\n")) expect(line).toMatch(/^(#|$)/);
  });

  it("is the defaults once it is uncommented", () => {
    expect(parseConfig(parse(uncommented), file)).toEqual(parseConfig({}, file));
  });

  it("shows in each example what is valid", () => {
    expect(parseConfig(parse(withExamples), file)).toMatchObject({
      publicHosts: ["docker.example.edu"],
      signIn: { oidc: { clientId: "berth" }, proxy: { header: "remote-user" } },
    });
  });

  it("has every key of the schema, and explains it", () => {
    const all: unknown = parse(withExamples);
    const words = sample.replace(/[#\s]+/g, " ");
    for (const key of keys) {
      const path = key.path.map((part) =>
        part === "<name>" ? (key.path[0] === "groups" ? "students" : "databases") : part,
      );
      expect(all, path.join(".")).toHaveProperty(path);
      expect(words).toContain(explain(key));
    }
  });

  it("fits into a terminal of 100 columns", () => {
    for (const line of sample.split("\n")) expect(line.length, line).toBeLessThanOrEqual(100);
  });
});

describe("what the schema says of its keys", () => {
  it("has every key that is known, down to those of entries", () => {
    const names = keys.map(({ path }) => path.join("."));
    expect(names).toEqual(expect.arrayContaining(Object.keys(configSchema.shape)));
    expect(names).toEqual(
      expect.arrayContaining([
        "listen.tls.cert",
        "signIn.proxy.from",
        "limits.max.disk",
        "groups.<name>.limits.memory",
        "profiles.<name>.egressTo",
      ]),
    );
  });

  it("must explain each, and what holds without it", () => {
    const words = { description: "What it is." };
    const refused = (shape: z.ZodRawShape) => () => keysOf(z.strictObject(shape));
    expect(refused({ a: z.string().default("x") })).toThrow("a has no description");
    expect(refused({ a: z.string().optional().meta(words) })).toThrow(
      "neither default nor example",
    );
    const optional = z
      .string()
      .optional()
      .meta({ ...words, example: "x" });
    expect(refused({ a: optional })).toThrow("does not say what holds in its absence");
  });

  it("is in the manual page, key by key", () => {
    const text = configManual("1.2.3").replaceAll("\\-", "-");
    for (const { path } of keys) expect(text).toContain(`.TP\n\\fB${path.join(".")}\\fR\n`);
  });

  it("is what docs/configuration.md says, with an example that is valid", async () => {
    const bare = (text: string) => text.replace(/ +/g, " ").replace(/-{3,}/g, "-");
    const document = await readFile(configDocument, "utf8");
    expect(bare(document), "run: npm run generate:docs").toBe(bare(withConfigTable(document)));
    expect(document).toContain(`\`\`\`yaml\n${configExample}\n\`\`\``);
    const { profiles } = parseConfig(parse(configExample), file);
    expect(profiles.map(({ name }) => name)).toContain("databases");
  });
});
