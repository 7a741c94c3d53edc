import { currentVersion, type History } from "../lib/record-versions.js";

/** What `sandbox.json` has looked like so far. */
export const sandboxHistory: History = {
  oldest: 1,
  migrations: [
    // Version 1 is from before sandboxes had user namespaces, when none could open fewer connections than
    // another or had devices; later writers of it had all three.
    (record) => ({ egress: { mode: "open", to: [] }, devices: [], ...record }),
  ],
};

export const sandboxVersion = currentVersion(sandboxHistory);
