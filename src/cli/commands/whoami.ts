import type { Me } from "../../lib/contract/user.js";
import { formatDuration } from "../../lib/units.js";
import { limitsOf } from "../describe.js";
import { alignColumns, detailLines } from "../table.js";
import { verb, type AddVerb } from "../verb.js";

export const addWhoami: AddVerb = (parent, session) => {
  verb(parent, "whoami", {
    summary: "who Berth takes you for, and what you may ask for",
    about:
      "Shows whom the daemon takes you for, how many sandboxes you may have, for how long, the most you\n" +
      "may ask for, and the profiles there are.",
    examples: [
      ["whoami", "also whether BERTH_URL and BERTH_TOKEN are right"],
      ["whoami --json", "the profiles with their limits, for a script"],
    ],
    next: "`berth create USER --profile PROFILE`.",
  }).action(async () => {
    const me = await (await session.api()).me();
    session.out.result(me, () => linesOf(me));
  });
};

function linesOf(me: Me): string[] {
  const profiles = me.profiles.map((profile) => [
    profile.name,
    formatDuration(profile.ttlMs),
    limitsOf(profile.limits),
    profile.ready ? profile.description : "not ready: its images are not built yet",
  ]);
  return [
    `${me.user ?? "root, over the socket"} (${me.role})`,
    ...detailLines([
      ...(me.groups?.length ? [["groups", me.groups.join(", ")] as [string, string]] : []),
      ["sandboxes", `${me.sandboxesPerUser} per user at most`],
      ["time", `${formatDuration(me.ttl.defaultMs)}, ${formatDuration(me.ttl.maxMs)} at most`],
      ["at most", limitsOf(me.maxLimits)],
    ]),
    "",
    ...alignColumns([["PROFILE", "TIME", "LIMITS", ""], ...profiles]),
  ];
}
