import type { Problem } from "./types.js";

/** The API said no. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly problem: Problem,
  ) {
    super(problem.detail);
  }
}

/** Whether asking again later may help: no answer at all, a busy server, a failing gateway. */
export function isPassing(error: unknown): boolean {
  return !(error instanceof ApiError) || error.status === 429 || error.status >= 500;
}

/** Whether the server gave any answer: a gateway that stands in for it does not count. */
export function isAnswer(error: unknown): boolean {
  return error instanceof ApiError && (error.problem.code !== "" || error.status < 500);
}

/** Whatever was thrown, as something to show. */
export function problemOf(error: unknown): Problem {
  if (error instanceof ApiError) return error.problem;
  return {
    title: "No answer from Berth",
    detail: "Berth could not be reached. Check your connection, then try again.",
    code: "",
  };
}

/** The problem in an answer; something in between (a proxy) may have sent anything. */
export async function readProblem(response: Response): Promise<Problem> {
  const body = (await response.json().catch(() => undefined)) as
    Partial<Problem> | undefined | null;
  return {
    title: textOf(body?.title) ?? "Something went wrong",
    detail: textOf(body?.detail) ?? `The server answered with HTTP status ${response.status}.`,
    code: textOf(body?.code) ?? "",
    ...(Array.isArray(body?.errors) ? { errors: body.errors } : {}),
  };
}

const textOf = (value: unknown) => (typeof value === "string" ? value : undefined);

/**
 * The answer, or undefined where this Berth has no such route: the page leaves that part out.
 * @throws like `asked` for every other fault
 */
export async function whereKnown<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (isRouteMissing(error)) return undefined;
    throw error;
  }
}

const isRouteMissing = (error: unknown) =>
  error instanceof ApiError &&
  !isPassing(error) &&
  (error.problem.code === "NOT_FOUND" || error.problem.code === "METHOD_NOT_ALLOWED");
