import { messageOf } from "./lib/errors.js";

// What scripts/install asks of the build that it installs: `node dist/install-steps.js STEP [ARGUMENT...]`.
// Not a verb of the command line, whose whole code none of this needs.

const steps: Record<string, (...args: string[]) => Promise<string[]>> = {
  /** Where the configuration in effect puts what an installation looks at, `NAME PATH` a line. */
  async paths() {
    const { loadConfig } = await import("./config.js");
    const { engine, runDir, dataDir } = await loadConfig(undefined);
    return [`engine ${engine.socket}`, `run ${runDir}`, `data ${dataDir}`];
  },
  async "keep-records"(dataDir = "", copiesDir = "") {
    const { keepRecords } = await import("./record-copies.js");
    await keepRecords(dataDir, copiesDir);
    return [];
  },
  /** Tells what was put back, and what the version before may not be able to read. */
  async "put-records-back"(dataDir = "", copiesDir = "") {
    const { putRecordsBack } = await import("./record-copies.js");
    const { restored, unknown } = await putRecordsBack(dataDir, copiesDir);
    return [
      ...restored.map((file) => `as it was before: ${file}`),
      ...unknown.map((file) => `made meanwhile, and left as it is: ${file}`),
    ];
  },
};

const [name = "", ...args] = process.argv.slice(2);
try {
  const step = steps[name];
  if (!step) throw new Error(`there is no step ${name}`);
  for (const line of await step(...args)) process.stdout.write(`${line}\n`);
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
}
