import { Argument } from "commander";
import type { Sandbox } from "../../lib/contract/sandbox.js";
import type { ApiClient } from "../client.js";
import { nameKinds, type NameKind } from "../completion/shells.js";
import { expiryOf, titleOf } from "../describe.js";
import { verb, type AddVerb } from "../verb.js";

/** Who presses TAB waits no longer. */
const patienceMs = 2000;

/** Nothing in it means anything to a shell, whoever chose it. */
const harmless = /^[a-z][a-z0-9_.-]*(\/[a-z][a-z0-9-]*)?$/;

type Name = [name: string, about: string];

export const addCompleteNames: AddVerb = (parent, session) => {
  verb(parent, "complete-names", {
    hidden: true,
    summary: "print names for a shell's completion",
    about:
      "Prints what the daemon knows of a kind, one a line, with a few words on each after a tab. It does\n" +
      "not wait long for an answer.",
    examples: [["complete-names sandboxes"]],
  })
    .addArgument(new Argument("<kind>", "of which names").choices(nameKinds))
    .action(async (kind: NameKind) => {
      session.deps.endWithin(patienceMs);
      const found = await namesOf[kind](await session.api(), session.deps.now());
      const names = found.filter(([name]) => harmless.test(name));
      session.out.result({ names: names.map(([name]) => name) }, () =>
        names.map(([name, about]) => `${name}\t${about.replace(/\s+/g, " ")}`),
      );
    });
};

const namesOf: Record<NameKind, (api: ApiClient, now: Date) => Promise<Name[]>> = {
  async sandboxes(api, now) {
    const all = await api.list();
    return all.flatMap((one) => referencesTo(one, all).map((name): Name => [name, say(one, now)]));
  },
  async users(api) {
    const { role, user } = await api.me();
    if (role === "admin") return (await api.users()).map(({ name, role }) => [name, role]);
    return user === undefined ? [] : [[user, "you"]];
  },
  async profiles(api) {
    return (await api.me()).profiles.map(({ name, description }) => [name, description]);
  },
};

/** What means this sandbox on a command line. */
function referencesTo(one: Sandbox, all: Sandbox[]): string[] {
  if (one.name === "default") return [one.user, one.id];
  const isOnly = all.filter(({ user }) => user === one.user).length === 1;
  return [...(isOnly ? [one.user] : []), titleOf(one), one.id];
}

function say(one: Sandbox, now: Date): string {
  const expiry = expiryOf(one, now);
  const end = expiry === "expired" ? expiry : `ends in ${expiry}`;
  return `${titleOf(one)}, ${one.state}, ${end}`;
}
