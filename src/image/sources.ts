import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { ignoring } from "../lib/errors.js";

/** A file of apt's sources: one-line style (`.list`) or deb822 (`.sources`); see sources.list(5). */
export interface SourcesFile {
  name: string;
  text: string;
}

/**
 * The machine's own apt sources for a suite, in deb822 style, ready for mmdebstrap's standard input:
 * its mirrors are near, allowed and trusted. Only Debian's own suites count (`trixie`,
 * `trixie-updates`, `trixie-security` with component `main`). undefined when the machine runs another suite.
 */
export function sourcesForSuite(suite: string, files: SourcesFile[]): string | undefined {
  const stanzas = files
    .flatMap((file) => (file.name.endsWith(".sources") ? stanzasOf(file.text) : linesOf(file.text)))
    .filter((source) => source.enabled && source.types.includes("deb"))
    .filter((source) => source.components.includes("main"))
    .map((source) => ({ ...source, suites: source.suites.filter((s) => belongs(suite, s)) }))
    .filter((source) => source.suites.length > 0);
  if (!stanzas.some((source) => source.suites.includes(suite))) return undefined;
  return stanzas.map(format).join("\n");
}

interface Source {
  enabled: boolean;
  types: string[];
  uris: string[];
  suites: string[];
  components: string[];
  /** A keyring's path; an embedded key keeps its lines. */
  signedBy?: string | undefined;
}

const belongs = (suite: string, name: string): boolean =>
  [suite, `${suite}-updates`, `${suite}-security`].includes(name);

const words = (text = ""): string[] => text.split(/\s+/).filter(Boolean);

function stanzasOf(text: string): Source[] {
  return text.split(/\n\s*\n/).map((stanza) => {
    const fields = new Map<string, string>();
    let last = "";
    for (const line of stanza.split("\n").filter((line) => !line.startsWith("#"))) {
      const [, name, value] = /^(\S[^:]*):\s*(.*)$/.exec(line) ?? [];
      if (name !== undefined) fields.set((last = name.toLowerCase()), value ?? "");
      else if (last) fields.set(last, `${fields.get(last) ?? ""}\n${line}`);
    }
    return {
      enabled: fields.get("enabled")?.trim().toLowerCase() !== "no",
      types: words(fields.get("types")),
      uris: words(fields.get("uris")),
      suites: words(fields.get("suites")),
      components: words(fields.get("components")),
      signedBy: fields.get("signed-by"),
    };
  });
}

function linesOf(text: string): Source[] {
  return text.split("\n").flatMap((line) => {
    const match = /^(deb)\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+([^#]+)/.exec(line.trim());
    if (!match) return [];
    const [, type = "", options = "", uri = "", suite = "", components] = match;
    const signedBy = /(?:^|\s)signed-by=(\S+)/.exec(options)?.[1];
    return [
      {
        enabled: true,
        types: [type],
        uris: [uri],
        suites: [suite],
        components: words(components),
        signedBy,
      },
    ];
  });
}

function format(source: Source): string {
  const signedBy = source.signedBy === undefined ? "" : `Signed-By: ${source.signedBy}\n`;
  return (
    `Types: deb\nURIs: ${source.uris.join(" ")}\nSuites: ${source.suites.join(" ")}\n` +
    `Components: main\n${signedBy}`
  );
}

/** The sources apt itself would read; none on a machine without apt. */
export async function readAptSources(dir = "/etc/apt"): Promise<SourcesFile[]> {
  const parts = (await ignoring(readdir(join(dir, "sources.list.d")), "ENOENT")) ?? [];
  const names = [
    "sources.list",
    ...parts.filter((name) => /\.(list|sources)$/.test(name)).map((n) => `sources.list.d/${n}`),
  ];
  const files = await Promise.all(
    names.map(async (name) => ({
      name,
      text: await ignoring(readFile(join(dir, name), "utf8"), "ENOENT"),
    })),
  );
  return files.filter((file): file is SourcesFile => file.text !== undefined);
}
