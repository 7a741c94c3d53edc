import type Docker from "dockerode";
import type { ContainerCreateOptions, HostConfig } from "dockerode";
import { setTimeout as delay } from "node:timers/promises";
import { BerthError, codeOf } from "../../lib/errors.js";
import { connectDockerForStreams, engineCall, engineFind } from "../../lib/engine-call.js";
import { lastLogLines } from "../../lib/engine-log.js";

/** What of dockerode a build of a preload needs besides what all images do. */
export type DockerHost = Pick<Docker, "createContainer" | "getContainer" | "importImage" | "modem">;

export interface BuilderRequest {
  docker: DockerHost;
  name: string;
  /** The dind image. */
  image: string;
  /** Host directory for its socket; below a tmpfs, and short (unix(7) allows 108 characters). */
  socketDir: string;
  /** Host directory into which it writes the store. */
  outDir: string;
  /** Whether it must reach a registry; else it has no network at all. */
  isOnline: boolean;
  signal: AbortSignal;
}

/** dockerd listens some 300 ms after its container has started. */
const askEveryMs = 20;
const startTimeoutMs = 60_000;

/** An engine that lives for one build, in a container without a network. Not a sandbox: no user's code runs in it. */
export class Builder {
  readonly engine: Docker;

  private constructor(private readonly request: BuilderRequest) {
    this.engine = connectDockerForStreams(`${request.socketDir}/docker.sock`);
  }

  /**
   * Resolves when its engine answers. The caller removes the container by its name.
   * @throws BerthError IMAGE_BUILD_FAILED with its last log lines
   */
  static async start(request: BuilderRequest): Promise<Builder> {
    const { docker, name, image } = request;
    const builder = new Builder(request);
    await engineCall(
      `create the container ${name}`,
      () => docker.createContainer(builderOptions(request)),
      "IMAGE_BUILD_FAILED",
    );
    await engineCall(
      `start the engine of the build from ${image}`,
      () => docker.getContainer(name).start(),
      "IMAGE_BUILD_FAILED",
    );
    await builder.#untilAnswered();
    return builder;
  }

  async #untilAnswered(): Promise<void> {
    const deadline = Date.now() + startTimeoutMs;
    for (;;) {
      this.request.signal.throwIfAborted();
      try {
        await this.engine.ping();
        return;
      } catch {
        if (Date.now() > deadline) throw await this.#failure("its engine does not answer");
        await this.#mustRun();
      }
      await delay(askEveryMs);
    }
  }

  async #mustRun(): Promise<void> {
    const { docker, name } = this.request;
    const { State } = await docker.getContainer(name).inspect();
    if (!State.Running) throw await this.#failure(`its container ended (${State.ExitCode})`);
  }

  /**
   * Ends its engine and has all that it holds written to `store.erofs` in `outDir`.
   * @throws BerthError IMAGE_BUILD_FAILED, with its last log lines
   */
  async seal(): Promise<void> {
    const { docker, name, signal } = this.request;
    const container = docker.getContainer(name);
    const ended = container.wait({ abortSignal: signal }) as Promise<{ StatusCode: number }>;
    ended.catch(() => undefined);
    await engineCall(
      "seal the preload",
      () => container.kill({ signal: "SIGUSR1" }),
      "IMAGE_BUILD_FAILED",
    );
    const { StatusCode } = await engineCall("seal the preload", () => ended, "IMAGE_BUILD_FAILED");
    if (StatusCode !== 0) throw await this.#failure(`it ended with status ${StatusCode}`);
  }

  async #failure(why: string): Promise<BerthError> {
    const lines = await lastLogLines(this.request.docker, this.request.name);
    return new BerthError(
      "IMAGE_BUILD_FAILED",
      `the preload's build failed: ${why}${lines ? `; its last lines:\n${lines}` : ""}`,
    );
  }
}

/** Removes a container and the volume that was made for it; none is no error. */
export async function removeContainer(docker: DockerHost, name: string): Promise<void> {
  try {
    await engineFind(`remove the container ${name}`, () =>
      docker.getContainer(name).remove({ force: true, v: true }),
    );
  } catch (error) {
    // 409: its removal is under way.
    if (codeOf(error) !== "ENGINE_FAILED" || !String(error).includes("already in progress"))
      throw error;
  }
}

/**
 * All that an engine needs to unpack layers: mounts, owners, modes, attributes, device nodes. It reads
 * files from anywhere, and a fault in its reading of them should meet no device of the host, no kernel
 * setting and no network.
 */
const capabilities = [
  "CHOWN",
  "DAC_OVERRIDE",
  "FOWNER",
  "FSETID",
  "MKNOD",
  "SETFCAP",
  "SYS_ADMIN",
  "SYS_CHROOT",
];

export function builderOptions(request: BuilderRequest): ContainerCreateOptions & { name: string } {
  const { name, image, socketDir, outDir, isOnline } = request;
  // @types/dockerode lacks CgroupnsMode (Engine API since 1.41).
  const hostConfig: HostConfig & { CgroupnsMode: "private" } = {
    CapDrop: ["ALL"],
    CapAdd: capabilities,
    // Docker's own profiles for both refuse mounts and pivot_root.
    SecurityOpt: [
      "seccomp=unconfined",
      "apparmor=unconfined",
      "label=disable",
      "no-new-privileges",
    ],
    ReadonlyRootfs: true,
    CgroupnsMode: "private",
    OomScoreAdj: 500,
    RestartPolicy: { Name: "no" },
    Binds: [`${socketDir}:/berth/build`, `${outDir}:/berth/out`],
    LogConfig: { Type: "json-file", Config: { "max-size": "1m", "max-file": "2" } },
    NetworkMode: isOnline ? "bridge" : "none",
  };
  return {
    name,
    Image: image,
    Env: ["BERTH_PURPOSE=build"],
    // On the engine's disk, and gone with the container.
    Volumes: { "/data": {} },
    HostConfig: hostConfig,
    StopTimeout: 20,
  };
}
