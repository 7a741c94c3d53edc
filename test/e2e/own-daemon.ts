import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { projectDir, run, type Ran } from "./support.js";

/** A daemon of the build on this machine's loopback, without an engine: enough for who gets in and how. */
export class OwnDaemon {
  log = "";
  #child!: ChildProcess;

  private constructor(
    readonly dir: string,
    readonly port: number,
  ) {}

  static async reserve(): Promise<OwnDaemon> {
    const socket = createServer().listen(0, "127.0.0.1");
    await once(socket, "listening");
    const { port } = socket.address() as AddressInfo;
    socket.close();
    return new OwnDaemon(await mkdtemp(join(tmpdir(), "berth-own-")), port);
  }

  get dataDir(): string {
    return join(this.dir, "data");
  }

  async start(config: { listen?: object; [key: string]: unknown }): Promise<void> {
    // The socket's directory says that a daemon lives here, wherever an embedded host may be up.
    await mkdir(join(this.dir, "run"), { recursive: true, mode: 0o700 });
    const whole = {
      dataDir: this.dataDir,
      runDir: join(this.dir, "run"),
      engine: { socket: join(this.dir, "no-engine.sock") },
      keyPool: 0,
      publicHosts: ["localhost"],
      ...config,
      listen: { host: "127.0.0.1", port: this.port, ...config.listen },
    };
    await writeFile(join(this.dir, "berth.yaml"), stringify(whole));
    const main = join(projectDir, "bin", "berth");
    const child = spawn(main, ["serve", "--config", join(this.dir, "berth.yaml")], {
      env: { ...process.env, BERTH_SOCKET: this.socket },
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.#child = child;
    await new Promise<void>((resolve, reject) => {
      child.stderr.on("data", (part: Buffer) => {
        this.log += part.toString();
        if (this.log.includes("berth is ready")) resolve();
      });
      child.once("exit", () => {
        reject(new Error(`the daemon did not start: ${this.log}`));
      });
    });
  }

  get socket(): string {
    return join(this.dir, "run", "berth.sock");
  }

  berth(args: string[], input?: string): Promise<Ran> {
    const env = { BERTH_SOCKET: this.socket, BERTH_URL: "" };
    return run(join(projectDir, "bin", "berth"), args, {
      env,
      ...(input === undefined ? {} : { input }),
    });
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    this.#child.kill("SIGTERM");
    await once(this.#child, "exit");
  }

  /** Everything the daemon has written, its log too. */
  async written(...files: string[]): Promise<string> {
    const texts = await Promise.all(
      files.map((file) => readFile(join(this.dataDir, file), "utf8")),
    );
    return [this.log, ...texts].join("\n");
  }

  async remove(): Promise<void> {
    await this.stop();
    await rm(this.dir, { recursive: true, force: true });
  }
}
