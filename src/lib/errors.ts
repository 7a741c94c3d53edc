/**
 * Every error a person can meet. The code is stable: clients and tests match it, never the text.
 * HTTP statuses live beside the routes (src/http/problem.ts).
 */
export const errorCodes = [
  "INVALID_REQUEST",
  "BODY_NOT_JSON",
  "BODY_TOO_LARGE",
  "UNAUTHENTICATED",
  "FORBIDDEN",
  "RATE_LIMITED",
  "CROSS_SITE_REQUEST",
  "SIGN_IN_REFUSED",
  "PROVIDER_UNREACHABLE",
  "NOT_FOUND",
  "METHOD_NOT_ALLOWED",
  "CONFIG_INVALID",
  "USER_NOT_FOUND",
  "USER_EXISTS",
  "SANDBOX_NOT_FOUND",
  "SANDBOX_EXISTS",
  "SANDBOX_BUSY",
  "SANDBOX_NOT_READY",
  "SANDBOX_LIMIT_REACHED",
  "PROFILE_UNKNOWN",
  "TTL_TOO_LONG",
  "LIMIT_OUT_OF_RANGE",
  "PORTS_EXHAUSTED",
  "PORT_TAKEN",
  "ADDRESSES_EXHAUSTED",
  "UIDS_EXHAUSTED",
  "DISK_FULL",
  "DISK_FAILED",
  "ENGINE_UNREACHABLE",
  "ENGINE_FAILED",
  "ENGINE_START_FAILED",
  "ISOLATION_NOT_HELD",
  "SYSTEMD_UNREACHABLE",
  "SLICE_FAILED",
  "SLICE_LIMITS_NOT_APPLIED",
  "FORWARDING_FAILED",
  "IMAGE_MISSING",
  "IMAGE_IN_USE",
  "IMAGE_BUILD_FAILED",
  "RECORD_INVALID",
  "CREATE_CANCELLED",
  "DAEMON_UNREACHABLE",
  "ALREADY_RUNNING",
  "SHUTTING_DOWN",
  "INTERNAL",
] as const;

export type ErrorCode = (typeof errorCodes)[number];

/**
 * An error meant for a person: the message names the act, the thing and the way out.
 * Anything else that is thrown is a bug of ours and is reported as INTERNAL.
 */
export class BerthError extends Error {
  override readonly name = "BerthError";
  constructor(
    readonly code: ErrorCode,
    message: string,
    options: {
      cause?: unknown;
      /** Single faults inside one request or file, by path. */
      issues?: Issue[];
    } = {},
  ) {
    super(message, { cause: options.cause });
    this.issues = options.issues ?? [];
  }
  readonly issues: Issue[];
}

export interface Issue {
  /** Where, as dots: `limits.memory`. Empty for the whole. */
  path: string;
  message: string;
}

/** What a person is told of a fault of our own, whose inside only the log shows. */
export const internalDetail = "something went wrong inside Berth; its log says more";

/** The text of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The `code` of a Node or BerthError (`ENOENT`, `SANDBOX_BUSY`), if it has one. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error === "object" && error !== null && "code" in error) {
    return typeof error.code === "string" ? error.code : undefined;
  }
  return undefined;
}

/** What came of something that is to keep nothing else from being done: `error` where it failed. */
export async function outcomeOf(act: () => Promise<unknown>): Promise<{ error?: string }> {
  try {
    await act();
    return {};
  } catch (error) {
    return { error: messageOf(error) };
  }
}

/** `promise`, or undefined when it fails with one of `codes`. */
export async function ignoring<T>(promise: Promise<T>, ...codes: string[]): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    const code = codeOf(error);
    if (code !== undefined && codes.includes(code)) return undefined;
    throw error;
  }
}
