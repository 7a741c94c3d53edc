import type Docker from "dockerode";
import { beforeEach, describe, expect, it } from "vitest";
import { SandboxEngine } from "../../../src/engine/engine.js";
import { hasLimits, limitsConfig } from "../../../src/engine/limits.js";
import { silentLog } from "../../fakes/berth.js";

const id = "k3x9f2ab";
const limits = { memoryBytes: 1024 ** 3, cpus: 1.5, pids: 512 };
const larger = { memoryBytes: 2 * 1024 ** 3, cpus: 0.1, pids: 1024 };

/** An engine with one container at most: what the change of limits calls of it. */
class FakeDocker {
  hostConfig: Record<string, unknown> | undefined = limitsConfig(limits);
  labels = { "berth.sandbox": id, "berth.installation": "ours" };
  updates: unknown[] = [];
  failure: Error | undefined;

  asDocker(): Docker {
    return {
      getContainer: () => ({
        inspect: () => {
          if (!this.hostConfig)
            return Promise.reject(Object.assign(new Error("no"), { statusCode: 404 }));
          return Promise.resolve({ HostConfig: this.hostConfig, Config: { Labels: this.labels } });
        },
        update: (options: object) => {
          if (this.failure) return Promise.reject(this.failure);
          this.updates.push(options);
          this.hostConfig = { ...this.hostConfig, ...options };
          return Promise.resolve({});
        },
      }),
    } as unknown as Docker;
  }
}

let docker: FakeDocker;
let engine: SandboxEngine;
beforeEach(() => {
  docker = new FakeDocker();
  engine = new SandboxEngine({
    docker: docker.asDocker(),
    streams: docker.asDocker(),
    installation: "ours",
    startTimeoutMs: 1000,
    openFiles: 1024,
    bridge: { name: "berth_test", subnet: "10.210.128.0/17" },
    log: silentLog,
  });
});

const asked = {
  Memory: 2 * 1024 ** 3,
  MemorySwap: 2 * 1024 ** 3,
  NanoCpus: 100_000_000,
  PidsLimit: 1024,
};

describe("setting a container's limits", () => {
  it("updates memory without swap, processor time and pids in one call", async () => {
    await engine.setLimits(id, larger);
    expect(docker.updates).toEqual([asked]);
  });

  it("does so even if the engine says that it has them: an update may have failed in the middle", async () => {
    await engine.setLimits(id, limits);
    expect(docker.updates).toHaveLength(1);
  });

  it("touches no container of another Berth", async () => {
    docker.labels["berth.installation"] = "theirs";
    await expect(engine.setLimits(id, larger)).rejects.toMatchObject({ code: "ENGINE_FAILED" });
    expect(docker.updates).toEqual([]);
  });

  it("says what the engine said, and what may stand in the way", async () => {
    docker.failure = Object.assign(new Error("cpu.cfs_quota_us: invalid argument"), {
      statusCode: 500,
    });
    const refused = engine.setLimits(id, larger);
    await expect(refused).rejects.toMatchObject({ code: "ENGINE_FAILED" });
    await expect(refused).rejects.toThrow(/invalid argument; a container inside/);
  });
});

describe("settling a container's limits", () => {
  it("updates only what differs, and tells whether there is a container", async () => {
    expect(await engine.settleLimits(id, limits)).toBe(true);
    expect(docker.updates).toEqual([]);
    expect(await engine.settleLimits(id, larger)).toBe(true);
    expect(docker.updates).toEqual([asked]);
    docker.hostConfig = undefined;
    expect(await engine.settleLimits(id, limits)).toBe(false);
  });

  it("does not mind a kernel that does not account for swap", () => {
    expect(hasLimits({ ...limitsConfig(limits), MemorySwap: -1 }, limits)).toBe(true);
    expect(hasLimits({ ...limitsConfig(limits), PidsLimit: 511 }, limits)).toBe(false);
  });
});
