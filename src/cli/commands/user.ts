import { Option, type Command } from "commander";
import { userName } from "../../lib/contract/sandbox.js";
import { roles, type Role } from "../../lib/contract/user.js";
import { checked } from "../arguments.js";
import { UsageError } from "../failure.js";
import { readNewPassword } from "../read-password.js";
import type { Session } from "../session.js";
import { alignColumns } from "../table.js";
import { noun, verb, type AddVerb } from "../verb.js";

export const addUser: AddVerb = (parent, session) => {
  const users = noun(parent, "user", {
    summary: "add, change, list and remove users, set passwords",
    about:
      "Users are who may ask for sandboxes by page, API and command line: by a token, a password, or the\n" +
      "accounts that `signIn` of the configuration names. Root over the socket needs none. Admins only.",
    examples: [
      ["user add alice > alice.token", "a user, and the token for BERTH_TOKEN"],
      ["user list", "who there is, and when they were last seen"],
      ["user remove alice", "the user and all their sandboxes"],
    ],
  });
  addAdd(users, session);
  addSet(users, session);
  addPassword(users, session);
  addList(users, session);
  addRemove(users, session);
};

interface AddOptions {
  admin?: boolean;
  password?: boolean;
  group?: string[];
}

function addAdd(users: Command, session: Session): void {
  verb(users, "add", {
    summary: "add a user and print their token, once",
    about:
      "Adds a user. Their token goes to stdout, this once: Berth keeps only its hash. (Root needs no\n" +
      "users: `berth create NAME` adds one without a token.)",
    examples: [
      ["user add alice > alice.token", "only the token is on stdout"],
      ["user add ops --admin", "may see and touch all sandboxes"],
      ["user add bob --password", "asks for a password, for signing in on the page"],
    ],
    next: "give them the token, and BERTH_URL as `berth doctor` names it.",
  })
    .argument("<name>", "a lower-case letter, then letters, digits, _ . -", checked(userName))
    .option("--admin", "sees and touches every user's sandboxes")
    .option("--group <group...>", "a group of the configuration; may be given several times")
    .option("--password", "asks for a password too, or reads it from stdin")
    .action(async (name: string, options: AddOptions) => {
      const { admin, password, group: groups } = options;
      const added = await (
        await session.api()
      ).addUser(name, {
        role: admin ? "admin" : "user",
        ...(groups ? { groups } : {}),
        ...(password ? { password: await readNewPassword(session.deps, name) } : {}),
      });
      session.out.note(
        `Added ${added.name} (${added.role}). This is their token, it is not shown again; they use it with`,
        "  export BERTH_URL=... BERTH_TOKEN=...",
      );
      session.out.result(added, () => [added.token]);
    });
}

interface SetOptions {
  role?: Role;
  group?: string[];
  /** commander's: false for --no-groups, else true. */
  groups: boolean;
}

function addSet(users: Command, session: Session): void {
  verb(users, "set", {
    summary: "change a user's role and groups",
    about:
      "Changes what a user may do, from their next request on; their sandboxes stay as they are. The\n" +
      "groups given take the place of those that an admin put them in before. What a provider or a\n" +
      "proxy says at their sign-in, role or groups, is theirs beside it.",
    examples: [
      ["user set alice --role admin", "may see and touch all sandboxes"],
      ["user set bob --group students lab2", "in these two groups"],
      ["user set bob --role user --no-groups", "like everybody again"],
    ],
    next: "`berth user list`.",
  })
    .argument("<user>", "the user", checked(userName))
    .addOption(new Option("--role <role>", "what they may do").choices(roles))
    .option("--group <group...>", "a group of the configuration; may be given several times")
    .option("--no-groups", "in no group")
    .action(async (name: string, { role, group, groups: isInGroups }: SetOptions) => {
      if (group && !isInGroups) {
        throw new UsageError("--group and --no-groups contradict; see berth user set --help");
      }
      const groups = isInGroups ? group : [];
      if (role === undefined && groups === undefined) {
        throw new UsageError(
          "say what to change: --role, --group or --no-groups; see berth user set --help",
        );
      }
      const change = { ...(role ? { role } : {}), ...(groups ? { groups } : {}) };
      const user = await (await session.api()).changeUser(name, change);
      session.out.result(user, () => [
        `${user.name}: ${user.role}, ${user.groups.length > 0 ? `in ${user.groups.join(", ")}` : "in no group"}`,
      ]);
      if (role === "user" && user.role === "admin") {
        session.out.note(
          `${name} is an admin still, by the word of the provider or proxy that signs them in (adminGroups).`,
        );
      }
    });
}

function addPassword(users: Command, session: Session): void {
  verb(users, "password", {
    summary: "set a user's password, for signing in on the page",
    about:
      "Asks for a password twice without showing it, or reads it from stdin where that is no terminal.\n" +
      "It counts at once; every browser that was signed in as the user is signed out.",
    examples: [
      ["user password bob", "asks twice"],
      ["user password bob < bob.password", "from a file"],
    ],
    next: "bob signs in on the page, at the address that `berth doctor` names.",
  })
    .argument("<user>", "the user", checked(userName))
    .action(async (name: string) => {
      const password = await readNewPassword(session.deps, name);
      await (await session.api()).setPassword(name, password);
      session.out.result({ name }, () => [`the password of ${name} is set`]);
    });
}

function addList(users: Command, session: Session): void {
  verb(users, "list", {
    summary: "list the users",
    about:
      "Lists the users: what they may do, their groups, whether they have a token and a password, and\n" +
      "when they last asked for something. Admins only.",
    examples: [["user list"], ["user list --json", '{"users": [...]}']],
    next: "`berth user set USER` changes role and groups.",
  })
    .alias("ls")
    .action(async () => {
      const list = await (await session.api()).users();
      const rows = list.map((user) => [
        user.name,
        user.role,
        user.groups.join(","),
        user.hasToken ? "yes" : "no",
        user.hasPassword ? "yes" : "no",
        user.lastSeenAt ?? "never",
        user.createdAt,
      ]);
      session.out.result({ users: list }, () =>
        rows.length
          ? alignColumns([
              ["NAME", "ROLE", "GROUPS", "TOKEN", "PASSWORD", "LAST SEEN", "ADDED"],
              ...rows,
            ])
          : [],
      );
      if (rows.length === 0 && !session.out.json) {
        session.out.note("There are no users. Add one with: berth user add NAME");
      }
    });
}

function addRemove(users: Command, session: Session): void {
  verb(users, "remove", {
    summary: "remove a user with all their sandboxes",
    about:
      "Removes a user, their token and every sandbox of theirs with all that is in it. Nobody is asked,\n" +
      "and nothing is kept: `berth list --user USER` shows what will go.",
    examples: [
      ["list --user alice", "what will go"],
      ["user remove alice", "do it"],
    ],
  })
    .alias("rm")
    .argument("<user>", "the user", checked(userName))
    .action(async (name: string) => {
      const gone = await (await session.api()).removeUser(name);
      const sandboxes = gone.removedSandboxes.join(", ");
      session.out.result(gone, () => [
        `removed ${gone.name}${sandboxes ? ` and their sandboxes ${sandboxes}` : ""}`,
      ]);
    });
}
