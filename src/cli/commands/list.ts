import { userName, type Sandbox } from "../../lib/contract/sandbox.js";
import { checked } from "../arguments.js";
import { expiryOf, limitsOf } from "../describe.js";
import { alignColumns } from "../table.js";
import { verb, type AddVerb } from "../verb.js";

export const addList: AddVerb = (parent, session) => {
  verb(parent, "list", {
    summary: "list the sandboxes",
    about:
      "Lists the sandboxes with their state, the time they have left, the address of their Docker Engine\n" +
      "and their limits. Root and admins see all, users their own.",
    examples: [
      ["list", "all that you may see"],
      ["list --user alice", "those of one user"],
      ["list --json", '{"sandboxes": [...]}'],
    ],
    next: "`berth show SANDBOX` tells all about one.",
  })
    .alias("ls")
    .option("--user <user>", "only those of this user", checked(userName))
    .action(async ({ user }: { user?: string }) => {
      const sandboxes = await (await session.api()).list(user);
      session.out.result({ sandboxes }, () => tableOf(sandboxes, session.deps.now()));
      if (sandboxes.length === 0 && !session.out.json) session.out.note(nothing(user));
    });
};

function tableOf(sandboxes: Sandbox[], now: Date): string[] {
  if (sandboxes.length === 0) return [];
  const rows = sandboxes.map((one) => [
    one.user,
    one.name,
    one.id,
    one.state,
    expiryOf(one, now),
    one.dockerHost,
    limitsOf(one.limits),
  ]);
  return alignColumns([
    ["USER", "NAME", "ID", "STATE", "EXPIRES IN", "DOCKER HOST", "LIMITS"],
    ...rows,
  ]);
}

function nothing(user: string | undefined): string {
  return user === undefined
    ? "There are no sandboxes. Make one with: berth create USER"
    : `${user} has no sandboxes. Make one with: berth create ${user}`;
}
