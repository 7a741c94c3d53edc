import type { Command } from "commander";
import { userName } from "../../lib/contract/sandbox.js";
import { checked } from "../arguments.js";
import type { Session } from "../session.js";
import { alignColumns } from "../table.js";
import { noun, verb, type AddVerb } from "../verb.js";

export const addUser: AddVerb = (parent, session) => {
  const users = noun(parent, "user", "add, list and remove users");
  addAdd(users, session);
  addList(users, session);
  addRemove(users, session);
};

function addAdd(users: Command, session: Session): void {
  verb(users, "add", {
    summary: "add a user and print their token, once",
    about:
      "Adds a user. Their token goes to stdout, this once: Berth keeps only its hash. (Root needs no\n" +
      "users: `berth create NAME` adds one without a token.)",
    examples: [
      ["user add alice > alice.token", "only the token is on stdout"],
      ["user add ops --admin", "may see and touch all sandboxes"],
    ],
    next: "give them the token, and BERTH_URL as `berth doctor` names it.",
  })
    .argument("<name>", "a lower-case letter, then letters, digits, _ . -", checked(userName))
    .option("--admin", "sees and touches every user's sandboxes")
    .action(async (name: string, { admin }: { admin?: boolean }) => {
      const added = await (await session.api()).addUser(name, admin ? "admin" : "user");
      session.out.note(
        `Added ${added.name} (${added.role}). This is their token, it is not shown again; they use it with`,
        "  export BERTH_URL=... BERTH_TOKEN=...",
      );
      session.out.result(added, () => [added.token]);
    });
}

function addList(users: Command, session: Session): void {
  verb(users, "list", {
    summary: "list the users",
    about: "Lists the users. Admins only.",
    examples: [["user list"]],
  })
    .alias("ls")
    .action(async () => {
      const list = await (await session.api()).users();
      const rows = list.map((user) => [
        user.name,
        user.role,
        user.hasToken ? "yes" : "no",
        user.createdAt,
      ]);
      session.out.result({ users: list }, () =>
        rows.length ? alignColumns([["NAME", "ROLE", "TOKEN", "ADDED"], ...rows]) : [],
      );
      if (rows.length === 0 && !session.out.json) {
        session.out.note("There are no users. Add one with: berth user add NAME");
      }
    });
}

function addRemove(users: Command, session: Session): void {
  verb(users, "remove", {
    summary: "remove a user with all their sandboxes",
    about: "Removes a user, their token and every sandbox of theirs. Nobody is asked.",
    examples: [["user remove alice"]],
  })
    .alias("rm")
    .argument("<name>", "the user", checked(userName))
    .action(async (name: string) => {
      const gone = await (await session.api()).removeUser(name);
      const sandboxes = gone.removedSandboxes.join(", ");
      session.out.result(gone, () => [
        `removed ${gone.name}${sandboxes ? ` and their sandboxes ${sandboxes}` : ""}`,
      ]);
    });
}
