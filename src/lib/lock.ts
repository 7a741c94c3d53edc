import { createServer } from "node:net";
import { BerthError, codeOf } from "./errors.js";

/**
 * Makes this process the only one that works on a data directory. The lock is a listening socket in
 * the abstract namespace (unix(7)): the kernel frees it when the process ends, however it ends.
 * @throws BerthError ALREADY_RUNNING
 */
export async function lockDataDirectory(dataDir: string): Promise<{ release: () => void }> {
  const server = createServer((connection) => connection.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => {
      if (codeOf(error) !== "EADDRINUSE") reject(error);
      else {
        reject(
          new BerthError(
            "ALREADY_RUNNING",
            `another Berth works on ${dataDir} already; systemctl status berth`,
          ),
        );
      }
    });
    server.listen(`\0berth:${dataDir}`, resolve);
  });
  server.unref();
  return { release: () => server.close() };
}
