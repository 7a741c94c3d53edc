import { join } from "node:path";
import type { Request, Response } from "express";
import type { SignInMethod } from "../../lib/contract/session.js";
import type { User } from "../../lib/contract/user.js";
import { BerthError, codeOf } from "../../lib/errors.js";
import { isRoot, tokenOf, unauthenticated, type Caller } from "../caller.js";
import type { Users } from "../context.js";
import { FailedAttempts } from "../failed-attempts.js";
import { Cookies } from "./cookies.js";
import { EndedSessions } from "./ended.js";
import { mustBeFromOwnPage } from "./own-page.js";
import { PasswordAttempts } from "./password-attempts.js";
import { Seals } from "./seals.js";
import { sessionKey } from "./session-key.js";
import { Sessions } from "./sessions.js";

/** What the operator decided about signing in (a part of the configuration). */
export interface SignInSettings {
  /** Whether users that Berth knows itself sign in by password or token. */
  local: boolean;
  /** How long a browser stays signed in. */
  sessionMs: number;
  /** Where browsers reach us, where that is not where we listen. */
  publicUrl?: URL | undefined;
}

export interface SignInOptions {
  settings: SignInSettings;
  users: Users;
  dataDir: string;
  now?: () => Date;
}

/** Finds out who asks, and lets browsers in and out. */
export class SignIn {
  readonly #settings: SignInSettings;
  readonly #users: Users;
  readonly #sessions: Sessions;
  readonly #failures = new FailedAttempts();
  readonly #passwords = new PasswordAttempts();

  private constructor({ settings, users }: SignInOptions, sessions: Sessions) {
    this.#settings = settings;
    this.#users = users;
    this.#sessions = sessions;
  }

  /** Reads the key of sessions and those that have ended, in the data directory. */
  static async open(options: SignInOptions): Promise<SignIn> {
    const { settings, users, dataDir, now = () => new Date() } = options;
    const isHttps = (request: Request) =>
      request.secure || settings.publicUrl?.protocol === "https:";
    const ended = new EndedSessions(join(dataDir, "ended-sessions.json"), now);
    await ended.load();
    const sessions = new Sessions({
      seals: new Seals(await sessionKey(dataDir)),
      cookies: new Cookies(isHttps),
      ended,
      users,
      lastsMs: settings.sessionMs,
      now,
    });
    return new SignIn(options, sessions);
  }

  /** The ways in, for people to choose from. */
  get methods(): SignInMethod[] {
    return this.#settings.local ? [{ kind: "password", label: "Password or token" }] : [];
  }

  /**
   * Who asks. A token counts before what the browser sends by itself.
   * @throws BerthError UNAUTHENTICATED, RATE_LIMITED, CROSS_SITE_REQUEST
   */
  async identify(request: Request): Promise<Caller> {
    // Root's socket cannot fail, and has no address to count by.
    if (isRoot(request)) return { name: undefined, role: "admin" };
    const caller = await this.#find(request);
    if (caller.name !== undefined) this.#users.noteSeen(caller.name);
    return caller;
  }

  /** The same; undefined for nobody. */
  async identifyIfAny(request: Request): Promise<Caller | undefined> {
    try {
      return await this.identify(request);
    } catch (error) {
      if (["UNAUTHENTICATED", "RATE_LIMITED"].includes(codeOf(error) ?? "")) return undefined;
      throw error;
    }
  }

  /** @throws BerthError UNAUTHENTICATED, RATE_LIMITED, FORBIDDEN */
  async byPassword(request: Request, name: string, password: string): Promise<User> {
    this.#mustBeLocal();
    const found = await this.checkPassword(request, name, password);
    if (found) return found;
    throw new BerthError("UNAUTHENTICATED", "user and password do not go together");
  }

  /** The user whose password this is; wrong ones are counted. @throws BerthError RATE_LIMITED */
  checkPassword(request: Request, name: string, password: string): Promise<User | undefined> {
    return this.#passwords.guard(request, name, () => this.#users.checkPassword(name, password));
  }

  /** @throws BerthError UNAUTHENTICATED, RATE_LIMITED, FORBIDDEN */
  async byToken(request: Request, token: string): Promise<User> {
    this.#mustBeLocal();
    return this.#ofToken(request, token);
  }

  async begin(request: Request, response: Response, user: User): Promise<void> {
    await this.#sessions.begin(request, response, user.name);
    this.#users.noteSeen(user.name);
  }

  end(request: Request, response: Response): Promise<void> {
    return this.#sessions.end(request, response);
  }

  /** @throws BerthError CROSS_SITE_REQUEST */
  mustBeFromOwnPage(request: Request): void {
    mustBeFromOwnPage(request, this.#settings.publicUrl?.host);
  }

  async #find(request: Request): Promise<Caller> {
    const token = tokenOf(request);
    if (token !== undefined) return callerOf(await this.#ofToken(request, token));
    const user = await this.#sessions.userOf(request);
    if (user) {
      this.mustBeFromOwnPage(request);
      return callerOf(user);
    }
    // A session that is over is no guess: pages that were left open do not shut out who sits beside.
    if (this.#sessions.isNamed(request))
      throw unauthenticated("the session is over; sign in again");
    return this.#failures.guard(request, false, () => Promise.reject(unauthenticated()));
  }

  #ofToken(request: Request, token: string): Promise<User> {
    return this.#failures.guard(request, this.#users.isAccepted(token), async () => {
      const user = await this.#users.authenticate(token);
      if (user) return user;
      throw unauthenticated("the token is not valid; ask an admin for a new one");
    });
  }

  #mustBeLocal(): void {
    if (this.#settings.local) return;
    throw new BerthError("FORBIDDEN", "signing in by password or token is switched off here");
  }
}

const callerOf = ({ name, role }: User): Caller => ({ name, role });
