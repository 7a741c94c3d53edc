import { stringify } from "yaml";
import { configOfHost } from "./where.js";

// Runs the doctor on a host with a fault that it has to itself.

export interface Injected {
  /** How the doctor must tell of it. */
  check: string;
  status: "warning" | "failure";
  what: RegExp;
  fix: RegExp;
  /** Shell lines, run in an empty directory of its own: /mnt. */
  make?: string;
  config?: Record<string, unknown>;
  /** Namespaces besides that of mounts. */
  namespaces?: ("--net" | "--user")[];
  /** What stands before the doctor: environment, another uid. */
  before?: string;
  /** The doctor's own options. */
  options?: string;
  /** An engine that answers so; `mute`: it takes connections and never answers. */
  engine?: { version?: object; info?: object } | "mute";
}

/** What any engine says that is fit for Berth, as far as the doctor asks. */
const goodEngine = {
  version: { Version: "28.5.2", Components: [{ Name: "runc", Version: "1.3.3" }] },
  info: { Driver: "overlay2", CgroupDriver: "systemd", DockerRootDir: "/var/lib/docker" },
};

/** A program for Node: an engine at /mnt/engine.sock. */
function engineProgram(said: NonNullable<Injected["engine"]>): string {
  if (said === "mute")
    return `require("node:net").createServer(() => {}).listen("/mnt/engine.sock");`;
  const answers = {
    "/version": { ...goodEngine.version, ...said.version },
    "/info": { ...goodEngine.info, ...said.info },
  };
  return `
    const answers = ${JSON.stringify(answers)};
    require("node:http").createServer((request, response) => {
      const answer = answers[request.url];
      response.writeHead(answer ? 200 : 404, { "content-type": "application/json" });
      response.end(JSON.stringify(answer ?? { message: "no such thing" }));
    }).listen("/mnt/engine.sock");`;
}

const fromBase64 = (text: string) => `echo ${Buffer.from(text).toString("base64")} | base64 -d`;

/** A shell line that makes the fault, has the doctor report as JSON, and ends as the doctor does. */
export function lineOf(injected: Partial<Injected>, berth = "/opt/berth/bin/berth"): string {
  const { make = "", before = "", options = "", namespaces = [] } = injected;
  const needsConfig = injected.config !== undefined || injected.engine !== undefined;
  const config = {
    ...configOfHost(),
    ...injected.config,
    ...(injected.engine ? { engine: { socket: "/mnt/engine.sock" } } : {}),
  };
  const script = `
    mount -t tmpfs -o mode=755 doctor-faults /mnt
    cd /mnt
    trap 'kill $(jobs -p) 2>/dev/null || true' EXIT
    ${needsConfig ? `${fromBase64(stringify(config))} >berth.yaml` : ""}
    ${make}
    ${
      injected.engine === undefined
        ? ""
        : `${fromBase64(engineProgram(injected.engine))} >engine.cjs
           node engine.cjs &
           until [ -S engine.sock ]; do sleep 0.05; done`
    }
    ${before} ${berth} doctor --json ${options} ${needsConfig ? "--config /mnt/berth.yaml" : ""} || exit $?`;
  const isolation = [
    "--mount",
    "--propagation private",
    ...namespaces.map((kind) => (kind === "--user" ? "--user --map-root-user" : kind)),
  ];
  return `unshare ${isolation.join(" ")} bash -euc "$(${fromBase64(script)})"`;
}
