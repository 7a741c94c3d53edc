import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { BerthError, messageOf } from "./errors.js";

const conflict = 75;

/**
 * Makes this process the only one that works on a data directory. Node has no flock(2), so flock(1)
 * holds it on the file `lock` there for as long as its standard input stays open: the kernel closes
 * that when this process ends, however it ends.
 * @param waitS seconds, 0 or more, in which whoever has the directory may give it up
 * @throws BerthError ALREADY_RUNNING
 */
export async function lockDataDirectory(
  dataDir: string,
  waitS = 0,
): Promise<{ release: () => Promise<void> }> {
  const wait = waitS === 0 ? ["--nonblock"] : ["--timeout", String(waitS)];
  const holder = spawn(
    "flock",
    [...wait, "--conflict-exit-code", String(conflict), join(dataDir, "lock"), "cat"],
    // Out of the terminal's reach: Ctrl-C is this process's to answer, which clears up under the lock.
    { stdio: ["pipe", "pipe", "inherit"], detached: true },
  );
  // Once it ends, or this process does, a write finds nobody: no reason to fail.
  holder.stdin.on("error", () => undefined);
  // What cat gives back was read by it, so the lock is held.
  holder.stdin.write("\n");
  const outcome = await Promise.race([
    once(holder.stdout, "data").then(() => "held" as const),
    once(holder, "exit").then(([code]) => code as number | null),
  ]).catch((error: unknown) => {
    throw new BerthError("INTERNAL", `cannot lock ${dataDir} with flock(1): ${messageOf(error)}`);
  });
  if (outcome === "held") {
    holder.unref();
    for (const stream of [holder.stdin, holder.stdout]) {
      // Pipes of a child are sockets, which can be left out of what keeps a process alive.
      (stream as unknown as { unref: () => void }).unref();
    }
    const released = once(holder, "exit");
    return {
      release: async () => {
        holder.ref();
        holder.stdin.end();
        await released;
      },
    };
  }
  if (outcome !== conflict) {
    throw new BerthError("INTERNAL", `cannot lock ${dataDir}: flock(1) ended with ${outcome}`);
  }
  throw new BerthError(
    "ALREADY_RUNNING",
    `another Berth works on ${dataDir} already; systemctl status berth`,
  );
}
