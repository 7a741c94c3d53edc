import type { ErrorRequestHandler, RequestHandler } from "express";
import type { Problem } from "../lib/contract/problem.js";
import { BerthError, codeOf, internalDetail, type ErrorCode } from "../lib/errors.js";
import type { Log } from "../lib/log.js";

/** The one table from our codes to HTTP statuses (RFC 9110) and titles. */
export const statuses: Record<ErrorCode, { status: number; title: string }> = {
  INVALID_REQUEST: { status: 400, title: "The request is not valid" },
  BODY_NOT_JSON: { status: 400, title: "The body is not JSON" },
  BODY_TOO_LARGE: { status: 413, title: "The body is too large" },
  UNAUTHENTICATED: { status: 401, title: "Not signed in" },
  FORBIDDEN: { status: 403, title: "Not allowed" },
  RATE_LIMITED: { status: 429, title: "Too many failed attempts" },
  CROSS_SITE_REQUEST: { status: 403, title: "Asked by another site" },
  SIGN_IN_REFUSED: { status: 403, title: "The sign-in was refused" },
  PROVIDER_UNREACHABLE: { status: 503, title: "The provider of sign-ins does not answer" },
  NOT_FOUND: { status: 404, title: "No such page" },
  METHOD_NOT_ALLOWED: { status: 405, title: "Method not allowed" },
  CONFIG_INVALID: { status: 500, title: "The configuration is not valid" },
  USER_NOT_FOUND: { status: 404, title: "No such user" },
  USER_EXISTS: { status: 409, title: "The user exists" },
  SANDBOX_NOT_FOUND: { status: 404, title: "No such sandbox" },
  SANDBOX_EXISTS: { status: 409, title: "The sandbox exists" },
  SANDBOX_BUSY: { status: 409, title: "The sandbox is busy" },
  SANDBOX_NOT_READY: { status: 409, title: "The sandbox is not ready" },
  SANDBOX_LIMIT_REACHED: { status: 409, title: "No more sandboxes allowed" },
  PROFILE_UNKNOWN: { status: 400, title: "No such profile" },
  TTL_TOO_LONG: { status: 400, title: "The time is too long" },
  LIMIT_OUT_OF_RANGE: { status: 400, title: "A limit is out of range" },
  PORTS_EXHAUSTED: { status: 503, title: "No free ports" },
  PORT_TAKEN: { status: 503, title: "A port is taken" },
  ADDRESSES_EXHAUSTED: { status: 503, title: "No free addresses" },
  UIDS_EXHAUSTED: { status: 503, title: "No free uids" },
  DISK_FULL: { status: 507, title: "The disk is full" },
  DISK_FAILED: { status: 500, title: "The disk could not be made" },
  ENGINE_UNREACHABLE: { status: 503, title: "The Docker Engine does not answer" },
  ENGINE_FAILED: { status: 502, title: "The Docker Engine refused" },
  ENGINE_START_FAILED: { status: 500, title: "The sandbox's engine did not start" },
  ISOLATION_NOT_HELD: { status: 500, title: "The sandbox is not held as it must be" },
  SYSTEMD_UNREACHABLE: { status: 503, title: "systemd does not answer" },
  SLICE_FAILED: { status: 500, title: "The slice could not be made" },
  SLICE_LIMITS_NOT_APPLIED: { status: 500, title: "The limits do not hold" },
  FORWARDING_FAILED: { status: 500, title: "Ports could not be forwarded" },
  IMAGE_MISSING: { status: 503, title: "The dind image is missing" },
  IMAGE_IN_USE: { status: 409, title: "The image is in use" },
  IMAGE_BUILD_FAILED: { status: 500, title: "The image could not be built" },
  RECORD_INVALID: { status: 500, title: "A record is damaged" },
  CREATE_CANCELLED: { status: 409, title: "The creation was broken off" },
  DAEMON_UNREACHABLE: { status: 503, title: "Berth does not answer" },
  ALREADY_RUNNING: { status: 409, title: "Berth runs already" },
  SHUTTING_DOWN: { status: 503, title: "Berth is shutting down" },
  INTERNAL: { status: 500, title: "A fault of Berth's own" },
};

/** The answer for an error (RFC 9457). What is not a BerthError says nothing of its inside. */
export function problemOf(error: unknown): Problem {
  const known = asBerthError(error);
  const code = known?.code ?? "INTERNAL";
  const { status, title } = statuses[code];
  return {
    type: `urn:berth:error:${code}`,
    title,
    status,
    detail: known?.message ?? internalDetail,
    code,
    ...(known && known.issues.length > 0 ? { errors: known.issues } : {}),
  };
}

/** Turns what express and body-parser throw into ours; the latter's `type` is documented in its README. */
function asBerthError(error: unknown): BerthError | undefined {
  if (error instanceof BerthError) return error;
  if (!(error instanceof Error)) return undefined;
  switch ("type" in error && error.type) {
    case "entity.parse.failed":
    case "encoding.unsupported":
    case "charset.unsupported":
      return new BerthError("BODY_NOT_JSON", "the body is not valid JSON");
    case "entity.too.large":
      return new BerthError("BODY_TOO_LARGE", "the body is larger than 64 KiB");
    case "request.aborted":
      return new BerthError("INVALID_REQUEST", "the request broke off");
    default:
      // A path or a compressed body that does not decode: both mark what is the client's fault so.
      if (!("status" in error) || error.status !== 400) return undefined;
      return new BerthError("INVALID_REQUEST", `the request cannot be read: ${error.message}`);
  }
}

/** The last handler: every error becomes a problem, faults of our own are logged whole. */
export function problemHandler(log: Log): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    const problem = problemOf(error);
    if (problem.code === "INTERNAL") {
      log.error({ method: request.method, path: request.path, err: error }, "request failed");
    }
    if (response.headersSent) {
      // The answer had begun: the client learns of the fault by the connection breaking off.
      next(error);
      return;
    }
    if (problem.status === 401) response.setHeader("WWW-Authenticate", 'Bearer realm="berth"');
    response.status(problem.status).type("application/problem+json").send(JSON.stringify(problem));
  };
}

/** For paths that no route has. */
export const notFound: RequestHandler = (request) => {
  throw new BerthError(
    "NOT_FOUND",
    `there is nothing at ${request.path}; /openapi.json lists what there is`,
  );
};

/** Whether the error only says that the other side hung up. */
export function isHangup(error: unknown): boolean {
  return ["ERR_STREAM_PREMATURE_CLOSE", "ECONNRESET", "EPIPE"].includes(codeOf(error) ?? "");
}
