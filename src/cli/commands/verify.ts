import type { Verification } from "../../lib/contract/verify.js";
import { sandboxReference } from "../arguments.js";
import { titleOf } from "../describe.js";
import type { SandboxReference } from "../resolve.js";
import { alignColumns } from "../table.js";
import { verb, type AddVerb } from "../verb.js";

export const addVerify: AddVerb = (parent, session) => {
  verb(parent, "verify", {
    summary: "check how a sandbox is held",
    about:
      "Looks at a running sandbox again, as its start did and deeper. From the host: uids, namespaces,\n" +
      "capabilities, filter and firewall, read from the kernel. From inside: a container with everything\n" +
      "a user can ask for (privileged, the engine's own namespaces) tries to get out in some thirty ways\n" +
      "that do no harm. Exits 1 when something is not as it must be.",
    examples: [
      ["verify alice"],
      [
        "verify alice/ci --json",
        "each check with its name, where it was seen from, and what was found",
      ],
    ],
    next: "docs/security.md says what each layer is for.",
  })
    .argument("<sandbox>", "an id, a user, or user/name", sandboxReference)
    .action(async (reference: SandboxReference) => {
      const sandbox = await session.sandbox(reference);
      const found = await (await session.api()).verify(sandbox.id);
      session.out.result(found, () => [
        `${titleOf(sandbox)} (isolation ${sandbox.isolation}): ${verdictOf(found)}`,
        ...linesOf(found),
        ...(sandbox.warning === undefined ? [] : ["", `Mind: ${sandbox.warning}`]),
      ]);
      if (!found.ok) session.fail();
    });
};

function verdictOf({ ok, checks }: Verification): string {
  const failed = checks.filter((check) => !check.ok).length;
  return ok
    ? `all ${checks.length} checks are well`
    : `${failed} of ${checks.length} checks failed`;
}

function linesOf({ checks }: Verification): string[] {
  return alignColumns(
    checks.map(({ name, seenFrom, ok, detail }) => [ok ? "ok" : "FAIL", seenFrom, name, detail]),
  ).map((line) => `  ${line}`);
}
