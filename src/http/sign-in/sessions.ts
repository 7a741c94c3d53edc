import { randomBytes } from "node:crypto";
import type { Request, Response } from "express";
import { z } from "zod";
import type { User } from "../../lib/contract/user.js";
import type { Users } from "../context.js";
import { sessionCookie, type Cookies } from "./cookies.js";
import type { EndedSessions } from "./ended.js";
import type { Seals } from "./seals.js";

/** What a session's cookie holds, sealed. */
const content = z.strictObject({
  id: z.string(),
  user: z.string(),
  /** The user's when it began; their next password, or their removal, ends it. */
  epoch: z.string(),
  untilMs: z.number(),
});

/** Browsers that are signed in: a sealed cookie says who it is, nothing is kept here of those that last. */
export class Sessions {
  constructor(
    private readonly parts: {
      seals: Seals;
      cookies: Cookies;
      ended: EndedSessions;
      users: Pick<Users, "epochOf" | "ofSession">;
      lastsMs: number;
      now: () => Date;
    },
  ) {}

  async begin(request: Request, response: Response, user: string): Promise<void> {
    const { seals, cookies, users, lastsMs, now } = this.parts;
    const sealed = await seals.seal({
      id: randomBytes(12).toString("base64url"),
      user,
      epoch: users.epochOf(user),
      untilMs: now().getTime() + lastsMs,
    });
    cookies.set(request, response, sessionCookie, sealed, lastsMs);
  }

  /** Whether the request says that it has a session, a good one or not. */
  isNamed(request: Request): boolean {
    return this.parts.cookies.read(request, sessionCookie) !== undefined;
  }

  async userOf(request: Request): Promise<User | undefined> {
    const session = await this.#read(request);
    return session && this.parts.users.ofSession(session.user, session.epoch);
  }

  /** Ends the request's session, wherever else its cookie may have been copied to; tells whose it was. */
  async end(request: Request, response: Response): Promise<string | undefined> {
    const session = await this.#read(request);
    if (session) await this.parts.ended.add(session.id, session.untilMs);
    this.parts.cookies.clear(request, response, sessionCookie);
    return session?.user;
  }

  async #read(request: Request): Promise<z.output<typeof content> | undefined> {
    const { seals, cookies, ended, now } = this.parts;
    const session = await seals.open(content, cookies.read(request, sessionCookie));
    if (!session || session.untilMs <= now().getTime() || ended.has(session.id)) return undefined;
    return session;
  }
}
