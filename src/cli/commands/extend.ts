import { duration } from "../../lib/contract/sandbox.js";
import { checked, sandboxReference } from "../arguments.js";
import { expiryOf, titleOf } from "../describe.js";
import type { SandboxReference } from "../resolve.js";
import { verb, type AddVerb } from "../verb.js";

export const addExtend: AddVerb = (parent, session) => {
  verb(parent, "extend", {
    summary: "give a sandbox more time",
    about:
      "Adds time to a sandbox's end, up to the most that the configuration allows (`berth whoami` names\n" +
      "it). Nothing in the sandbox is stopped.",
    examples: [
      ["extend alice --ttl 4h", "four hours more than it had"],
      ["extend alice/ci --ttl 30m", "one of several"],
    ],
    next: "`berth bundle SANDBOX` for a certificate that lasts as long.",
  })
    .argument("<sandbox>", "an id, a user, or user/name", sandboxReference)
    .requiredOption("--ttl <duration>", "the time to add: 30m, 4h", checked(duration))
    .action(async (reference: SandboxReference, { ttl }: { ttl: string }) => {
      const { id } = await session.sandbox(reference);
      const sandbox = await (await session.api()).extend(id, ttl);
      session.out.result(sandbox, () => [
        `${titleOf(sandbox)} expires in ${expiryOf(sandbox, session.deps.now())}`,
      ]);
    });
};
