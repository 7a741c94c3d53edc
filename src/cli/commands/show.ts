import type { Sandbox, Usage } from "../../lib/contract/sandbox.js";
import { messageOf } from "../../lib/errors.js";
import { sandboxReference } from "../arguments.js";
import { detailsOf, incidentDetails, titleOf, usageDetails } from "../describe.js";
import type { SandboxReference } from "../resolve.js";
import { detailLines } from "../table.js";
import { verb, type AddVerb } from "../verb.js";

export const addShow: AddVerb = (parent, session) => {
  verb(parent, "show", {
    summary: "show one sandbox, with what it uses",
    about:
      "Shows a sandbox: its state and why, its address, its limits and how much of them it uses,\n" +
      "and what they did to it: processes killed, disk full, processes refused, time spent waiting.\n" +
      "With --json: the sandbox, and while it runs what it uses as `usage`.",
    examples: [
      ["show alice", "a user's only one, or the one named default"],
      ["show alice/ci", "one of several"],
      ["show k3x9f2ab --json", "by id, for a script"],
    ],
    next: "`berth extend SANDBOX --ttl 4h` if its time runs short.",
  })
    .argument("<sandbox>", "an id, a user, or user/name", sandboxReference)
    .action(async (reference: SandboxReference) => {
      const sandbox = await session.sandbox(reference);
      const api = await session.api();
      const usage = await api.usage(sandbox.id).catch((error: unknown) => {
        // The sandbox is worth showing all the same.
        if (sandbox.state === "ready") session.out.note(`No usage: ${messageOf(error)}`);
        return undefined;
      });
      session.out.result(usage ? { ...sandbox, usage } : sandbox, () =>
        linesOf(sandbox, usage, session.deps.now()),
      );
    });
};

function linesOf(sandbox: Sandbox, usage: Usage | undefined, now: Date): string[] {
  const because = sandbox.reason === undefined ? "" : `: ${sandbox.reason}`;
  return [
    `${titleOf(sandbox)} is ${sandbox.state}${because}`,
    ...detailLines([
      ...detailsOf(sandbox, now),
      ["slice", sandbox.slice],
      ["created", sandbox.createdAt],
      ...(usage ? usageDetails(usage) : []),
      ...incidentDetails(sandbox.incidents, now),
    ]),
    ...(sandbox.warning === undefined ? [] : ["", `Mind: ${sandbox.warning}`]),
  ];
}
