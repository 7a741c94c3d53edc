import type { Request, Response } from "express";
import { z } from "zod";
import { problemSchema } from "../../lib/contract/problem.js";
import { problemOf } from "../problem.js";
import type { Cookies } from "./cookies.js";
import type { Seals } from "./seals.js";

const cookie = "berth_sign_in_problem";
const lastsMs = 60_000;

/** What the page tells of a sign-in that ended elsewhere. */
export const signInProblem = problemSchema.pick({ title: true, detail: true, code: true });
export type SignInProblem = z.infer<typeof signInProblem>;

/**
 * Carries a problem from the provider's return, which is a page load and shows nothing by itself, to the
 * page's first question; told once.
 */
export class ProblemCookie {
  constructor(
    private readonly seals: Seals,
    private readonly cookies: Cookies,
  ) {}

  async set(request: Request, response: Response, error: unknown): Promise<void> {
    const { title, detail, code } = problemOf(error);
    const sealed = await this.seals.seal({ title, detail, code });
    this.cookies.set(request, response, cookie, sealed, lastsMs);
  }

  async take(request: Request, response: Response): Promise<SignInProblem | undefined> {
    const sealed = this.cookies.read(request, cookie);
    if (sealed === undefined) return undefined;
    this.cookies.clear(request, response, cookie);
    return this.seals.open(signInProblem, sealed);
  }
}
