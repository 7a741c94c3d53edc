import type { ReapAction, ReapResult } from "../../lib/contract/sandbox.js";
import { codeOf } from "../../lib/errors.js";
import type { Session } from "../session.js";
import { verb, type AddVerb } from "../verb.js";

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
        report(session, await (await session.api()).reap(dryRun));
      } catch (error) {
        if (codeOf(error) !== "DAEMON_UNREACHABLE" || session.asksUrl) throw error;
        await session.onTheHost(async () => {
          const options = { dryRun, ...(config === undefined ? {} : { config }) };
          report(session, await session.deps.local.reap(options));
        });
      }
    });
};

function report(session: Session, result: ReapResult): void {
  session.out.result(result, () => result.actions.map((action) => lineOf(action, result.dryRun)));
  if (result.actions.length === 0 && !session.out.json) session.out.note("Nothing to reap.");
  if (result.actions.some(({ error }) => error !== undefined)) session.fail();
}

function lineOf({ act, thing, why, error }: ReapAction, dryRun: boolean): string {
  const line = `${dryRun ? "would " : ""}${act} ${thing}: ${why}`;
  return error === undefined ? line : `${line}; FAILED: ${error}`;
}
