import { codeOf } from "../../lib/errors.js";
import { reportActions } from "../actions.js";
import { verb, type AddVerb } from "../verb.js";

const nothing = "Nothing to reap.";

export const addReap: AddVerb = (parent, session) => {
  verb(parent, "reap", {
    summary: "remove what has expired, mend what disagrees",
    about:
      "Removes expired sandboxes and whatever a crash left behind; for cron or a systemd timer. The\n" +
      "daemon does it each minute by itself; without a daemon it is done here.",
    examples: [
      ["reap --dry-run", "what it would do, and why"],
      ["reap", "do it"],
    ],
  })
    .option("--dry-run", "only say what would be done")
    .option("--config <file>", "the configuration, for when no daemon runs")
    .action(async ({ dryRun = false, config }: { dryRun?: boolean; config?: string }) => {
      try {
        reportActions(session, await (await session.api()).reap(dryRun), nothing);
      } catch (error) {
        if (codeOf(error) !== "DAEMON_UNREACHABLE" || session.asksUrl) throw error;
        await session.onTheHost(async () => {
          const options = { dryRun, ...(config === undefined ? {} : { config }) };
          reportActions(session, await session.deps.local.reap(options), nothing);
        });
      }
    });
};
