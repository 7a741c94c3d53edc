import { readFileSync } from "node:fs";
import { DockerClient, ok, onHost, type Ran } from "../e2e/support.js";

const script = readFileSync(new URL("probe.pl", import.meta.url));

export type Target = readonly [address: string, port: number];
export type Outcome = "open" | "refused" | "silent";

/** Sends packets of all kinds (probe.pl) from one place. */
export class Probe {
  private constructor(
    /** Runs a program with the script as its input. */
    private readonly exec: (args: string[]) => Promise<Ran>,
    /** Runs a shell line there, as root. */
    readonly sh: (line: string) => Promise<Ran>,
  ) {}

  /**
   * From an inner container with everything that a user can ask for. The sandbox's own root is at
   * /sandbox in it, so that its perl, ip and nft are at hand and no image must be brought.
   */
  static async inSandbox(client: DockerClient): Promise<Probe> {
    await client.importBox();
    await client.docker(
      ...["run", "-d", "--name", "probe", "--privileged", "--net=host", "-v", "/:/sandbox"],
      // Its init would have the removal of the sandbox wait for ten seconds.
      ...["--stop-signal", "KILL", "box", "sleep", "3600"],
    );
    const inside = ["exec", "-i", "--privileged", "probe", "chroot", "/sandbox"];
    return new Probe(
      (args) => client.run([...inside, "/usr/bin/perl", "-", ...args], script),
      (line) => client.run([...inside, "/bin/sh", "-c", line]),
    );
  }

  /**
   * From the host, to see that what a sandbox must not reach can be reached.
   * @param inside a command that enters a network namespace
   * @param patience seconds to wait for an answer
   */
  static onHost(inside = "", patience = 10): Probe {
    return new Probe(
      (args) => {
        const words = args.map((arg) => `'${arg}'`).join(" ");
        return onHost(
          `echo ${script.toString("base64")} | base64 -d | PATIENCE=${patience} ${inside} perl - ${words}`,
        );
      },
      (line) => onHost(`${inside} sh -c '${line}'`),
    );
  }

  /** What comes of a connection to each, `10.0.0.1:22` to `refused`. */
  async tcp(targets: readonly Target[]): Promise<Record<string, Outcome>> {
    const lines = ok(await this.exec(["tcp", ...targets.flat().map(String)])).split("\n");
    return Object.fromEntries(
      targets.map(([address, port], i) => [`${address}:${port}`, lines[i] as Outcome]),
    );
  }

  /** Which of them answer an echo request. */
  async pings(addresses: readonly string[]): Promise<string[]> {
    const lines = ok(await this.exec(["icmp", ...addresses])).split("\n");
    return addresses.filter((_, i) => lines[i] === "open");
  }

  async udp(text: string, targets: readonly Target[]): Promise<void> {
    ok(await this.exec(["udp", text, ...targets.flat().map(String)]));
  }

  async frames(device: string, frames: readonly Buffer[]): Promise<void> {
    ok(await this.exec(["frames", device, ...frames.map((frame) => frame.toString("hex"))]));
  }

  /** Those of the targets that take a connection. */
  async opens(targets: readonly Target[]): Promise<string[]> {
    const outcomes = Object.entries(await this.tcp(targets));
    return outcomes.filter(([, outcome]) => outcome === "open").map(([target]) => target);
  }
}

export const names = (targets: readonly Target[]): string[] =>
  targets.map(([address, port]) => `${address}:${port}`);
