import { pino, type Logger } from "pino";

export type Log = Logger;

/** Fields that may carry a secret; pino replaces their values wherever an object is logged. */
const secretFields = ["token", "password", "key", "keyPem", "certPem", "authorization", "cookie"];

/** JSON lines on stderr, so that stdout stays free for what a command prints. */
export function createLog(level: string): Log {
  return pino(
    {
      level,
      base: {},
      redact: { paths: secretFields.flatMap((f) => [f, `*.${f}`, `*.*.${f}`]), censor: "(secret)" },
    },
    pino.destination({ fd: 2, sync: true }),
  );
}
