import { InvalidArgumentError } from "commander";
import type { DoctorReport, Fault, Finding } from "../local.js";
import { verb, type AddVerb } from "../verb.js";
import { wrapHanging } from "../../lib/wrap.js";

/** Enough for the exit code to be set. */
const endingMs = 500;

export const addDoctor: AddVerb = (parent, session) => {
  verb(parent, "doctor", {
    summary: "check that the host has what Berth needs",
    about:
      "Checks the host and changes nothing: kernel, cgroups, systemd, engine and its known holes, images,\n" +
      "storage, ports and networks, clock, limits. Tells the address of page and API, the configuration in\n" +
      "effect, and what it found: what, why that matters for Berth, and the command that mends it.\n" +
      "FAIL: sandboxes cannot be made, or not be held. WARN: something else would suffer.\n" +
      "\n" +
      "Limits of the kernel are held against the number of sandboxes that configuration and memory\n" +
      "have room for; --sandboxes says another. docs/doctor.md has all checks.\n" +
      "Exits 1 when there is a FAIL.",
    examples: [
      ["doctor", "what is there, and how to mend what is not"],
      ["doctor --sandboxes 40", "are the kernel's limits enough for so many?"],
      ["doctor --config ./berth.yaml", "whether a file is valid, and what it comes to"],
      ["doctor --json", "findings (check, status, what, why, fix), the address as url"],
    ],
  })
    .option("--config <file>", "the configuration (default: /etc/berth/berth.yaml)")
    .option("--sandboxes <number>", "how many are to be held at a time", sandboxCount)
    .action((options: { config?: string; sandboxes?: number }) =>
      session.onTheHost(async () => {
        const report = await session.deps.local.doctor(options);
        const { stringify } = await import("yaml");
        session.out.result(report, () =>
          linesOf(report, stringify(report.config, { aliasDuplicateObjects: false })),
        );
        if (!report.ok) session.fail();
        await session.out.flushed();
        // What of the host did not answer may hold on to this process for good.
        session.deps.endWithin(endingMs);
      }),
    );
};

function sandboxCount(text: string): number {
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It must be a number from 1 to 99999.");
}

function linesOf(report: DoctorReport, configYaml: string): string[] {
  const faults = report.findings.filter((finding) => finding.status !== "ok");
  const failures = faults.filter(({ status }) => status === "failure");
  const warnings = faults.filter(({ status }) => status === "warning");
  return [
    `berth ${report.version}, ${report.host} host, page and API at ${report.url}, socket ${report.socket}`,
    "",
    "Configuration in effect:",
    ...configYaml
      .trimEnd()
      .split("\n")
      .map((line) => `  ${line}`),
    "",
    ...inOrderLines(report.findings),
    // The worst last, where one looks first.
    ...warnings.flatMap((fault) => ["", ...faultLines("WARN", fault)]),
    ...failures.flatMap((fault) => ["", ...faultLines("FAIL", fault)]),
    "",
    summary(failures.length, warnings.length),
  ];
}

function inOrderLines(findings: Finding[]): string[] {
  const fine = findings.filter(({ status }) => status === "ok");
  const width = Math.max(...fine.map(({ check }) => check.length));
  return fine.flatMap(({ check, what }) => wrapHanging(`ok    ${check.padEnd(width)}  `, what));
}

/** Commands are not wrapped: they are there to be pasted. */
function faultLines(mark: string, { check, what, why, fix }: Fault): string[] {
  return [
    ...wrapHanging(`${mark}  `, `${check}: ${what}`),
    ...wrapHanging("      why: ", why),
    ...(fix ?? "")
      .split("\n")
      .map((line, i) => (line ? `${i ? "           " : "      fix: "}${line}` : "")),
  ].filter(Boolean);
}

function summary(failures: number, warnings: number): string {
  const count = (number: number, what: string) => `${number} ${what}${number === 1 ? "" : "s"}`;
  if (failures > 0) return `${count(failures, "failure")} to mend, ${count(warnings, "warning")}.`;
  return `Nothing must be mended${warnings > 0 ? `; ${count(warnings, "warning")}` : ""}.`;
}
