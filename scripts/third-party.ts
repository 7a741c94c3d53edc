// The licenses of modules that come with Berth, which ask to be passed on with them.
import { readdirSync, readFileSync } from "node:fs";
import type { Rolldown } from "vite";

/** A document that names the modules built into some files, each with its license as its package has it. */
export function thirdParty(built: Rolldown.RolldownOutput[]): string {
  const directories = built
    .flatMap(({ output }) => output)
    .flatMap((file) => (file.type === "chunk" ? file.moduleIds : []))
    .map((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(id)?.[0])
    .filter((directory) => directory !== undefined);
  const sections = [...new Set(directories)].map(section).sort();
  return `# Modules of others in this program\n\n${sections.join("\n")}`;
}

interface Package {
  name: string;
  version: string;
  license?: Named | Named[];
  /** As it was written before npm had the field above. */
  licenses?: Named[];
}
type Named = string | { type: string };

/** What a module's author says of its license, in package.json and in files named as is the custom. */
function section(directory: string): string {
  const about = JSON.parse(readFileSync(`${directory}/package.json`, "utf8")) as Package;
  const named = [about.license ?? about.licenses ?? []]
    .flat()
    .map((one) => (typeof one === "string" ? one : one.type));
  const texts = readdirSync(directory)
    .filter((file) => /^(licen[cs]e|copying|notice)/i.test(file))
    .map((file) => readFileSync(`${directory}/${file}`, "utf8").trim());
  return (
    [
      `## ${about.name} ${about.version}`,
      named.join(", ") || "Its package does not say.",
      ...texts.map((text) => text.replace(/^/gm, "    ").replace(/ +$/gm, "")),
    ].join("\n\n") + "\n"
  );
}
