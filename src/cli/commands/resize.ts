import { cpus, pids, size } from "../../lib/contract/sandbox.js";
import { checked, sandboxReference } from "../arguments.js";
import type { LimitsBody } from "../client.js";
import { changesOf, titleOf } from "../describe.js";
import { UsageError } from "../failure.js";
import type { SandboxReference } from "../resolve.js";
import { verb, type AddVerb } from "../verb.js";

export const addResize: AddVerb = (parent, session) => {
  verb(parent, "resize", {
    summary: "change a sandbox's limits while it runs",
    about:
      "Changes what a sandbox may use, at once and without stopping anything in it. What is not given\n" +
      "stays as it is. Memory and pids cannot go below what is in use, and a disk only grows.",
    examples: [
      ["resize alice --memory 2G", "more memory"],
      ["resize alice/ci --cpus 0.5 --pids 256", "less of the machine"],
      ["resize alice --disk 20G", "a larger disk"],
    ],
    next: "`berth show SANDBOX` for what it uses of its limits.",
  })
    .argument("<sandbox>", "an id, a user, or user/name", sandboxReference)
    .option("--memory <size>", "main memory: 512M, 1.5G", checked(size))
    .option("--cpus <cores>", "processor cores: 1.5", checked(cpus))
    .option("--pids <count>", "processes and threads: 512", checked(pids))
    .option("--disk <size>", "disk for images, volumes and build cache: 20G", checked(size))
    .action(async (reference: SandboxReference, limits: LimitsBody) => {
      if (Object.keys(limits).length === 0) {
        throw new UsageError(
          "say what to change: --memory, --cpus, --pids or --disk; see berth resize --help",
        );
      }
      const before = await session.sandbox(reference);
      const sandbox = await (await session.api()).resize(before.id, limits);
      session.out.result(sandbox, () => [
        `${titleOf(sandbox)}: ${changesOf(before.limits, sandbox.limits)}`,
      ]);
    });
};
