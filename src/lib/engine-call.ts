import Docker from "dockerode";
import { BerthError, codeOf, messageOf, type ErrorCode } from "./errors.js";

/** Above what creating or starting a container takes on a host that is full of them. */
const callTimeoutMs = 60_000;

/** A client of the host's engine, for calls that are answered at once: a mute engine is no answer. */
export function connectDocker(socketPath: string, timeoutMs = callTimeoutMs): Docker {
  return new Docker({ socketPath, timeout: timeoutMs });
}

/** A client for what lasts: builds, events, waiting for a container's end. */
export function connectDockerForStreams(socketPath: string): Docker {
  return new Docker({ socketPath });
}

/** The engine's HTTP status of a failed call; undefined when it did not answer. */
export function statusOf(error: unknown): number | undefined {
  if (typeof error === "object" && error !== null && "statusCode" in error) {
    return typeof error.statusCode === "number" ? error.statusCode : undefined;
  }
  return undefined;
}

const unreachable = ["ECONNREFUSED", "ENOENT", "EACCES", "ECONNRESET", "EPIPE", "ETIMEDOUT"];

/**
 * Runs a call to the engine and turns its failures into ours.
 * @param act what was tried: `create the container of k3x9f2ab`
 * @throws BerthError ENGINE_UNREACHABLE, IMAGE_MISSING, DISK_FULL, or `code` for all else
 */
export async function engineCall<T>(
  act: string,
  call: () => Promise<T>,
  code: ErrorCode = "ENGINE_FAILED",
): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw asBerthError(act, error, code);
  }
}

/** Like engineCall; undefined when the engine says that there is no such thing. */
export async function engineFind<T>(act: string, call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw asBerthError(act, error, "ENGINE_FAILED");
  }
}

function asBerthError(act: string, error: unknown, code: ErrorCode): BerthError {
  if (error instanceof BerthError) return error;
  const status = statusOf(error);
  const said = messageOf(error);
  if (status === undefined && unreachable.includes(codeOf(error) ?? "")) {
    return new BerthError(
      "ENGINE_UNREACHABLE",
      `cannot ${act}: the Docker Engine does not answer (${said}); is it running? systemctl status docker`,
      { cause: error },
    );
  }
  if (said.includes("no space left on device")) {
    return new BerthError(
      "DISK_FULL",
      `cannot ${act}: the file system of the Docker Engine's data-root is full; free some space there and try again`,
      { cause: error },
    );
  }
  if (status === 404 && said.includes("No such image")) {
    return new BerthError(
      "IMAGE_MISSING",
      `cannot ${act}: the engine has no such image (${said}); run berth image build`,
      { cause: error },
    );
  }
  return new BerthError(code, `cannot ${act}: the Docker Engine says: ${said}`, {
    cause: error,
  });
}
