import { exitCodes } from "./failure.js";

// What holds for every verb: `berth --help` and the manual page both say it.

/** Command lines in the order most people need them. */
export const usualPath = [
  "berth create alice --ttl 2h",
  "berth bundle alice -o ./alice",
  "docker context import alice ./alice/berth.dockercontext",
  "docker --context alice run --rm hello-world",
  "berth remove alice",
];

export const sandboxMeaning = "SANDBOX is an id, a user, or user/name.";

export const reach = {
  root: "Root reaches the daemon over its socket (this machine's, or the embedded host's when that is up).",
  others:
    "Everyone else, from anywhere: set BERTH_URL and BERTH_TOKEN (BERTH_CA for an https address with a certificate of your own making).",
};

export const exitMeanings: [code: number, meaning: string][] = [
  [0, "done"],
  [exitCodes.failed, "failed"],
  [exitCodes.usage, "the command line is wrong"],
  [exitCodes.interrupted, "interrupted"],
];

export const variables: [name: string, meaning: string][] = [
  ["BERTH_URL", "Address of the Berth to ask, such as `https://berth.example.edu`."],
  [
    "BERTH_TOKEN",
    "Who asks there: what `berth user add` printed. Over a socket, root is who asks.",
  ],
  ["BERTH_CA", "PEM file of a CA to trust beside the system's own, for such an address."],
  ["BERTH_SOCKET", "The daemon's socket, where it is not `/run/berth/berth.sock`."],
  ["BERTH_LOG_LEVEL", "What the log tells, before `logLevel` of the configuration."],
];

export const files: [path: string, meaning: string][] = [
  ["/etc/berth/berth.yaml", "The configuration, berth.yaml(5). It need not exist."],
  ["/run/berth/berth.sock", "The daemon's socket, which only root may open."],
  ["/var/lib/berth", "Records of sandboxes, their disks, users and keys (`dataDir`)."],
  ["~/.berth/USER-NAME", "Where `berth env` puts a sandbox's bundle."],
];
