import { cpus, duration, pids, sandboxName, size, userName } from "../../lib/contract/sandbox.js";
import type { Sandbox } from "../../lib/contract/sandbox.js";
import { checked } from "../arguments.js";
import type { CreateBody } from "../client.js";
import { createSandbox } from "../create-sandbox.js";
import { detailsOf, nextSteps, titleOf } from "../describe.js";
import { detailLines } from "../table.js";
import { verb, type AddVerb } from "../verb.js";

export const addCreate: AddVerb = (parent, session) => {
  verb(parent, "create", {
    summary: "make a sandbox: a Docker Engine of the user's own",
    about:
      "Makes a sandbox for USER and waits until its Docker Engine answers. What is not given comes\n" +
      "from the profile. Interrupted, it takes back what was made so far.",
    examples: [
      ["create alice", "with the defaults of the profile"],
      ["create alice --ttl 2h --memory 2G --cpus 1.5", "bounded"],
      ["create alice --name ci --json", "a second one, for a script"],
    ],
    next: "`berth bundle USER` fetches what Docker needs to reach it.",
  })
    .argument("<user>", "whose sandbox it becomes", checked(userName))
    .option("--name <name>", "its name, unique per user (default: default)", checked(sandboxName))
    .option("--profile <profile>", "the set of defaults to start from (see `berth whoami`)")
    .option("--ttl <duration>", "how long it lives: 30m, 4h, 1d", checked(duration))
    .option("--memory <size>", "main memory: 512M, 1.5G", checked(size))
    .option("--cpus <cores>", "processor cores: 1.5", checked(cpus))
    .option("--pids <count>", "processes and threads: 512", checked(pids))
    .option("--disk <size>", "disk for images, volumes and build cache: 10G", checked(size))
    .action(async (user: string, options: Omit<CreateBody, "user">) => {
      const made = await createSandbox(session, { user, ...options });
      session.out.result(made, () => summaryOf(made, session.deps.now()));
    });
};

function summaryOf(sandbox: Sandbox, now: Date): string[] {
  return [
    `${titleOf(sandbox)} is ready`,
    ...detailLines(detailsOf(sandbox, now)),
    ...(sandbox.warning === undefined ? [] : ["", `Mind: ${sandbox.warning}`]),
    "",
    ...nextSteps(sandbox),
  ];
}
