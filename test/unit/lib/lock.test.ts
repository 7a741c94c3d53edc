import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { lockDataDirectory } from "../../../src/lib/lock.js";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "berth-lock-"));
});
afterEach(async () => {
  await rm(dir, { recursive: true });
});

/** Locks in a process of its own, which then waits. */
function otherProcess() {
  const script = `import { lockDataDirectory } from "./src/lib/lock.ts";
    await lockDataDirectory(${JSON.stringify(dir)});
    process.on("SIGINT", () => process.stdout.write("clearing up"));
    process.stdout.write("held");
    setInterval(() => undefined, 1000);`;
  return execa("node", ["--import", "tsx", "--input-type=module", "-e", script], {
    reject: false,
    detached: true,
  });
}

describe("the lock on a data directory", () => {
  it("is held by one, and free again after its release", async () => {
    const lock = await lockDataDirectory(dir);
    await expect(lockDataDirectory(dir)).rejects.toMatchObject({ code: "ALREADY_RUNNING" });
    await lock.release();
    const again = await lockDataDirectory(dir);
    await again.release();
  });

  it("does not outlive a process that is killed", async () => {
    const other = otherProcess();
    const [said] = (await once(other.stdout, "data")) as [Buffer];
    expect(said.toString()).toBe("held");
    await expect(lockDataDirectory(dir)).rejects.toMatchObject({ code: "ALREADY_RUNNING" });
    other.kill("SIGKILL");
    await other;
    // flock(1) waits for the kernel's word instead of asking again and again.
    await execa("flock", ["--timeout", "4", join(dir, "lock"), "true"]);
  });

  it("outlives Ctrl-C as long as the process that holds it", async () => {
    const other = otherProcess();
    await once(other.stdout, "data");
    // As a terminal does: to all of the group in the foreground.
    process.kill(-(other.pid ?? NaN), "SIGINT");
    const [said] = (await once(other.stdout, "data")) as [Buffer];
    expect(said.toString()).toBe("clearing up");
    await expect(lockDataDirectory(dir)).rejects.toMatchObject({ code: "ALREADY_RUNNING" });
    other.kill("SIGKILL");
    await other;
  });
});
