import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { advisories } from "../../../src/doctor/advisories.js";
import { sandboxDevices } from "../../../src/doctor/kernel.js";
import { limits } from "../../../src/doctor/limits.js";
import { programs } from "../../../src/doctor/programs.js";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const page = readFileSync(join(root, "docs/doctor.md"), "utf8");

/** Names by which findings are told, as the code has them. */
function checks(): string[] {
  const dir = join(root, "src/doctor");
  const texts = readdirSync(dir).map((file) => readFileSync(join(dir, file), "utf8"));
  const named = texts.flatMap((text) =>
    [...text.matchAll(/const check = "([^"]+)"/g)].map(([, name]) => name ?? ""),
  );
  const listed = [...programs, ...sandboxDevices].map(({ name }) => name as string);
  return [...new Set([...named, ...listed, ...limits.map(({ check }) => check)])].sort();
}

describe("docs/doctor.md", () => {
  it("has every check, and none that is not there", () => {
    const rows = [...page.matchAll(/^\| ([^|]+?) +\|/gm)].map(([, cell]) => cell ?? "");
    const told = rows
      .filter((cell) => !/^(check|advisory|-+|CVE-.*| *)$/.test(cell))
      .flatMap((cell) => cell.split(", "));
    expect([...new Set(told)].sort()).toEqual(checks());
  });

  it("has every advisory with the versions that mend it", () => {
    for (const { ids, fixedIn } of advisories) {
      const row = page.split("\n").find((line) => line.startsWith(`| ${ids.join(", ")} `));
      expect(row).toContain(fixedIn.join(", "));
    }
  });

  it("has every parameter of the kernel that is looked at", () => {
    const facts = {
      sandboxes: 100,
      cgroupVersion: 2,
      pids: 512,
      privileged: false,
      memoryBytes: 24 * 1024 ** 3,
      values: {},
    } as const;
    const names = limits.flatMap(({ wanted }) => Object.keys(wanted(facts)));
    const written = page.replace(/\{(.*?)\}(\S*?)`/g, (_, kinds: string, end: string) =>
      kinds
        .split(",")
        .map((kind) => `user.max_${kind}${end}`)
        .join(" "),
    );
    for (const name of names) expect(written).toContain(name);
  });
});
