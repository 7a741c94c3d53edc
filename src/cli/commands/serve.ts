import { verb, type AddVerb } from "../verb.js";

export const addServe: AddVerb = (parent, session) => {
  verb(parent, "serve", {
    summary: "run the daemon",
    about:
      "Runs Berth's daemon in the foreground: the API and the page, on its socket and its address.\n" +
      "systemd starts it as berth.service. It needs root.",
    examples: [
      ["serve", "by /etc/berth/berth.yaml, if that is there"],
      ["serve --config ./berth.yaml", "by another file"],
    ],
    next: "`berth doctor` says whether all it needs is there.",
  })
    .option("--config <file>", "the configuration (default: /etc/berth/berth.yaml)")
    .action((options: { config?: string }) =>
      session.onTheHost(() => session.deps.local.serve(options)),
    );
};
