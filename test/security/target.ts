import { z } from "zod";
import type { Sandbox } from "../../src/lib/contract/sandbox.js";
import { ownRanges, SecondBerth } from "../e2e/second-berth.js";
import { berth, create, DockerClient, ok, onHost, type Ran } from "../e2e/support.js";

/**
 * What the attempts are made against. They must fail in a `userns` sandbox. To see that an attempt would
 * be noticed, run it where it succeeds: in a `privileged` sandbox, or on the host itself.
 *
 *     BERTH_SECURITY_AGAINST=privileged npx vitest run --project security
 */
export const against = z
  .enum(["userns", "privileged", "host"])
  .default("userns")
  .parse(process.env["BERTH_SECURITY_AGAINST"]);

/** A sandbox, its user's docker client, and root in it. */
export class Target {
  private constructor(
    readonly sandbox: Sandbox,
    readonly client: DockerClient,
    /** Runs the CLI of the Berth that made it. */
    readonly berth: (...args: string[]) => Promise<Ran>,
    readonly close: () => Promise<void>,
  ) {}

  static async open(user: string, ...flags: string[]): Promise<Target> {
    const target = await (against === "privileged" ? trusted(user) : contained(user, flags));
    await target.client.importBox();
    return target;

    async function contained(user: string, flags: string[]): Promise<Target> {
      const made = await create(user, ...flags);
      const client = await DockerClient.of(made.id, made.dockerHost);
      return new Target(made, client, berth, async () => {
        ok(await berth("user", "remove", user));
        await client.remove();
      });
    }

    // `privileged` is not for the Berth of everybody: one of its own, beside.
    async function trusted(user: string): Promise<Target> {
      const second = await new SecondBerth(trusting).start();
      const made = await second.create(user, "--profile", "trusted");
      const client = await second.client(made);
      return new Target(made, client, second.berth.bind(second), async () => {
        ok(await second.berth("user", "remove", user));
        await second.remove();
        await client.remove();
      });
    }
  }

  /** Runs a powerful container of the user's: nothing that docker offers is held back. */
  powerful(command: string[], { input, flags = [] }: { input?: string; flags?: string[] } = {}) {
    const all = ["--privileged", ...["pid", "net", "userns", "ipc", "uts", "cgroupns"].map(ofHost)];
    const run = ["run", "-i", "--rm", ...all, "-v", "/:/host", ...flags, "box", ...command];
    return this.client.run(run, input);
  }

  /**
   * Runs a shell script as root of the sandbox: in the namespaces of its first process, with the programs
   * of the image and every capability there is.
   */
  asRoot(script: string): Promise<Ran> {
    const enter = ["nsenter", "-t", "1", "-m", "-u", "-i", "-n", "-p", "--", "/bin/sh", "-s"];
    return this.powerful(enter, { input: script });
  }
}

const ofHost = (namespace: string) => `--${namespace}=host`;

const trusting = {
  ...ownRanges,
  listen: { port: 8432 },
  ports: { engine: "43000-43009", user: "44000-44099" },
  network: { pool: "10.218.0.0/24" },
  subordinateUids: { from: 2_000_000_000, to: 2_000_655_359 },
  allowPrivileged: true,
  profiles: { trusted: { isolation: "privileged" } },
};

/** The same script as root of the host, where nothing holds it but its good manners. */
export function asHostRoot(script: string): Promise<Ran> {
  const encoded = Buffer.from(script).toString("base64");
  // In mounts of its own, so that none is left.
  return onHost(`echo ${encoded} | base64 -d | unshare -m --propagation private /bin/sh -s`);
}
