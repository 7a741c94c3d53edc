import type { DoctorReport, Finding } from "../local.js";
import { alignColumns } from "../table.js";
import { verb, type AddVerb } from "../verb.js";

export const addDoctor: AddVerb = (parent, session) => {
  verb(parent, "doctor", {
    summary: "check that the host has what Berth needs",
    about:
      "Checks the host: kernel, cgroups, systemd, engine, image, ports, disk; prints the address of\n" +
      "page and API and the configuration in effect. Exits 1 when something must be mended.",
    examples: [
      ["doctor", "what is there, and how to mend what is not"],
      ["doctor --config ./berth.yaml", "whether a file is valid, and what it comes to"],
      ["doctor --json", "with the address as url"],
    ],
  })
    .option("--config <file>", "the configuration (default: /etc/berth/berth.yaml)")
    .action((options: { config?: string }) =>
      session.onTheHost(async () => {
        const report = await session.deps.local.doctor(options);
        const { stringify } = await import("yaml");
        session.out.result(report, () => linesOf(report, stringify(report.config)));
        if (!report.ok) session.fail();
      }),
    );
};

const marks: Record<Finding["status"], string> = { ok: "ok", warning: "WARN", failure: "FAIL" };

function linesOf(report: DoctorReport, configYaml: string): string[] {
  const findings = report.findings.map(({ status, check, what }) => [marks[status], check, what]);
  const fixes = report.findings.filter(({ fix }) => fix !== undefined);
  return [
    `berth ${report.version}, ${report.host} host, page and API at ${report.url}, socket ${report.socket}`,
    "",
    ...alignColumns(findings),
    ...(fixes.length ? ["", "To mend:"] : []),
    ...fixes.map(({ check, fix }) => `  ${check}: ${fix ?? ""}`),
    "",
    "Configuration in effect:",
    ...configYaml
      .trimEnd()
      .split("\n")
      .map((line) => `  ${line}`),
  ];
}
