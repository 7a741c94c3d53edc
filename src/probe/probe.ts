import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import Docker from "dockerode";
import type { InnerContainer } from "../lib/contract/looks.js";
import { engineCall } from "../lib/engine-call.js";
import type { Log } from "../lib/log.js";
import type { Check, Peer } from "../lib/model.js";
import { Undo } from "../lib/undo.js";
import { listContainers } from "./containers.js";
import { probeImage, probePath } from "./image.js";
import { parseReport } from "./report.js";

/** A sandbox that is busy takes its time; each call to it, and the probe as a whole. */
const callTimeoutMs = 60_000;

/** What the probe is to try to reach. */
export interface ProbeTargets {
  /** The host's address on the sandboxes' network. */
  gateway: string;
  /** An address there that may be another sandbox's. */
  neighbour: string;
}

/**
 * Looks from inside: runs a container in the sandbox, by its own engine as any user of it can, that
 * tries to get out. Its word is the sandbox's: whoever is root in there could forge it, to nobody's harm
 * but their own. What the host must be sure of, it sees by itself (src/isolation).
 */
export class SandboxProbe {
  readonly #scriptFile: string;
  readonly #log: Log;

  constructor(options: { scriptFile: string; log: Log }) {
    this.#scriptFile = options.scriptFile;
    this.#log = options.log;
  }

  /** @throws BerthError ENGINE_UNREACHABLE, ENGINE_FAILED */
  containers(peer: Peer): Promise<InnerContainer[]> {
    return listContainers(peer);
  }

  /** @throws BerthError ENGINE_FAILED when the sandbox's engine does not run the probe */
  async run(peer: Peer, targets: ProbeTargets): Promise<Check[]> {
    const docker = new Docker({
      protocol: "https",
      host: peer.address,
      port: peer.port,
      ca: peer.caPem,
      cert: peer.certPem,
      key: peer.keyPem,
      timeout: callTimeoutMs,
    });
    const name = `berth-verify-${randomBytes(4).toString("hex")}`;
    const script = await readFile(this.#scriptFile);
    const undo = new Undo(this.#log);
    try {
      return await engineCall("look at the sandbox from inside", async () => {
        undo.add("probe image", () => docker.getImage(name).remove({ force: true }));
        await importImage(docker, probeImage(script) as unknown as NodeJS.ReadableStream, name);
        const container = await docker.createContainer(probeContainer(name, targets));
        undo.add("probe container", () => container.remove({ force: true, v: true }));
        await container.start();
        await container.wait();
        return parseReport(await container.logs({ stdout: true, stderr: true, tail: 200 }));
      });
    } finally {
      await undo[Symbol.asyncDispose]();
    }
  }
}

async function importImage(docker: Docker, tar: NodeJS.ReadableStream, repo: string) {
  const progress = await docker.importImage(tar, { repo });
  // It is there when the engine has said all it has to say.
  progress.resume();
  await new Promise((resolve, reject) => {
    progress.once("end", resolve);
    progress.once("error", reject);
  });
}

/** All that a user can ask of their engine. */
function probeContainer(name: string, { gateway, neighbour }: ProbeTargets) {
  return {
    name,
    Image: name,
    Cmd: [probePath],
    Env: [
      "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
      `BERTH_GATEWAY=${gateway}`,
      `BERTH_NEIGHBOUR=${neighbour}`,
    ],
    HostConfig: {
      Privileged: true,
      PidMode: "host",
      NetworkMode: "host",
      IpcMode: "host",
      UsernsMode: "host",
      UTSMode: "host",
      CgroupnsMode: "host",
      Binds: ["/usr:/usr:ro", "/:/host"],
      // Little of the sandbox's memory, and no more of its log than we read.
      LogConfig: { Type: "json-file", Config: { "max-size": "64k", "max-file": "1" } },
    },
  };
}
