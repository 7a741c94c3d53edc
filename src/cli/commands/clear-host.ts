import { reportActions } from "../actions.js";
import { verb, type AddVerb } from "../verb.js";

interface ClearHostOptions {
  purge?: boolean;
  dryRun?: boolean;
  yes?: boolean;
  config?: string;
}

export const addClearHost: AddVerb = (parent, session) => {
  const command = verb(parent, "clear-host", {
    summary: "take Berth off this host, before it is uninstalled",
    about:
      "Removes what Berth has on this host beside its files: slices, firewall rules, network, mounts.\n" +
      "The daemon must not run, and while there are sandboxes it is refused. With --purge they are\n" +
      "removed first, all of them, and after them images, preloads, users and keys: nothing is kept.\n" +
      "What was broken off is finished by doing it again. `scripts/install --uninstall` does this.",
    examples: [
      ["clear-host --purge --dry-run", "what it would remove"],
      ["clear-host --purge --yes", "remove all of it"],
    ],
  });
  command
    .option("--purge", "remove sandboxes, images, users and keys too")
    .option("--dry-run", "only say what would be done")
    .option("--yes", "do not ask for it: needed with --purge")
    .option("--config <file>", "the configuration (default: /etc/berth/berth.yaml)")
    .action(({ purge = false, dryRun = false, yes = false, config }: ClearHostOptions) => {
      if (purge && !yes && !dryRun) {
        command.error("berth: --purge removes every sandbox and all data: say so with --yes");
      }
      return session.onTheHost(async () => {
        const options = { purge, dryRun, ...(config === undefined ? {} : { config }) };
        reportActions(
          session,
          await session.deps.local.clearHost(options),
          "There is nothing left.",
        );
      });
    });
};
