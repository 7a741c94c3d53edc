import type { Sandbox } from "../../src/lib/contract/sandbox.js";
import { SecondBerth } from "../e2e/second-berth.js";
import { berth, create, DockerClient, patienceSeconds } from "../e2e/support.js";
import { outerOf, type Outer } from "./outer.js";
import { Probe } from "./probe.js";

/** A sandbox, its user's client, and what the host sees of it. */
export interface Held {
  sandbox: Sandbox;
  client: DockerClient;
  outer: Outer;
  /** Sends from an inner container. */
  probe: Probe;
}

export const smallLimits = { memory: "512M", pids: 256, disk: "512M" };

export async function hold(user: string, cleanup: Cleanup): Promise<Held> {
  const flags = Object.entries(smallLimits).flatMap(([name, value]) => [
    `--${name}`,
    String(value),
  ]);
  cleanup.add(() => berth("user", "remove", user));
  const sandbox = await create(user, ...flags);
  return held(sandbox, await DockerClient.of(sandbox.id, sandbox.dockerHost), cleanup);
}

/** The same of a second daemon's. */
export async function holdBySecond(
  second: SecondBerth,
  user: string,
  profile: string,
  cleanup: Cleanup,
): Promise<Held> {
  const sandbox = await second.create(user, "--profile", profile);
  cleanup.add(() => second.berth("remove", sandbox.id));
  const client = await DockerClient.of(sandbox.id, sandbox.dockerHost, second.socket);
  return held(sandbox, client, cleanup);
}

async function held(sandbox: Sandbox, client: DockerClient, cleanup: Cleanup): Promise<Held> {
  cleanup.add(() => client.remove());
  const [outer, probe] = await Promise.all([outerOf(sandbox.id), Probe.inSandbox(client)]);
  return { sandbox, client, outer, probe };
}

/** Undoes what was made, newest first, however far the making came. */
export class Cleanup {
  readonly #steps: (() => Promise<unknown>)[] = [];

  add(step: () => Promise<unknown>): void {
    this.#steps.unshift(step);
  }

  async run(): Promise<void> {
    for (const step of this.#steps) {
      await step();
    }
  }
}

/** A daemon with profiles that the first one has not; ports, networks and uids of its own. */
export function berthWithProfiles(config: Record<string, unknown>): SecondBerth {
  return new SecondBerth({
    listen: { port: 8451 },
    ports: { engine: "46000-46019", user: "47000-47199" },
    network: { pool: "10.222.0.0/24" },
    subordinateUids: { from: 1_910_000_000, to: 1_910_000_000 + 64 * 65_536 },
    limits: { default: smallLimits },
    ...config,
  });
}

/** Publishes a page, by HTTP, that says `text`. */
export async function serve(client: DockerClient, port: number, text: string): Promise<void> {
  await client.docker(
    ...[
      "run",
      "-d",
      "--name",
      "web",
      "--stop-signal",
      "KILL",
      "-p",
      `${port}:80`,
      "box",
      "sh",
      "-c",
    ],
    `mkdir /www; echo ${text} > /www/index.html; exec httpd -f -p 80 -h /www`,
  );
  // It is up a moment after its container is.
  const listens = "until wget -q -O /dev/null http://127.0.0.1/; do sleep 0.05; done";
  await client.docker(
    "exec",
    "web",
    "timeout",
    String(patienceSeconds(20_000)),
    "sh",
    "-c",
    listens,
  );
}
