import { join } from "node:path";
import type { Request, Response } from "express";
import { ipKeyGenerator } from "express-rate-limit";
import type { SignInMethod } from "../../lib/contract/session.js";
import type { User } from "../../lib/contract/user.js";
import { BerthError, codeOf } from "../../lib/errors.js";
import type { Identity } from "../../lib/identity.js";
import type { Log } from "../../lib/log.js";
import { isRoot, tokenOf, unauthenticated, type Caller } from "../caller.js";
import type { Users } from "../context.js";
import { FailedAttempts } from "../failed-attempts.js";
import { Addresses } from "./addresses.js";
import { Cookies } from "./cookies.js";
import { EndedSessions } from "./ended.js";
import { Grants } from "./grants.js";
import { mustBeFromOwnPage } from "./own-page.js";
import { OidcSignIn, oidcPath, type OidcSettings } from "./oidc.js";
import { PasswordAttempts } from "./password-attempts.js";
import { problemOf } from "../problem.js";
import { ProblemCookie, signInProblem, type SignInProblem } from "./problem-cookie.js";
import { ProxySignIn, type ProxySettings } from "./proxy.js";
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
  oidc?: (OidcSettings & { linkLocalUsers: boolean }) | undefined;
  proxy?: ProxySettings | undefined;
  /** Addresses of proxies that sign nobody in, but say where requests come from. */
  proxies: string[];
  /** Groups that mean something here: of all others nothing is kept. */
  groups: string[];
}

export interface SignInOptions {
  settings: SignInSettings;
  users: Users;
  dataDir: string;
  log: Log;
  now?: () => Date;
}

/** Finds out who asks, and lets browsers in and out. */
export class SignIn {
  readonly #settings: SignInSettings;
  readonly #users: Users;
  readonly #sessions: Sessions;
  readonly #grants = new Grants();
  readonly #failures = new FailedAttempts();
  readonly #passwords = new PasswordAttempts();
  readonly #proxy: ProxySignIn | undefined;
  readonly #proxies: Addresses;

  private constructor(
    { settings, users }: SignInOptions,
    sessions: Sessions,
    /** Signing in by OpenID Connect, where it is set up. */
    readonly oidc: OidcSignIn | undefined,
    /** What went wrong on the way back from there. */
    readonly problems: ProblemCookie,
  ) {
    this.#settings = settings;
    this.#users = users;
    this.#sessions = sessions;
    this.#proxy = settings.proxy && new ProxySignIn(settings.proxy);
    this.#proxies = new Addresses(settings.proxies);
    users.onChange((name) => {
      this.#grants.lookAt(name);
    });
  }

  /** Reads the key of sessions and those that have ended, in the data directory. */
  static async open(options: SignInOptions): Promise<SignIn> {
    const { settings, users, dataDir, log, now = () => new Date() } = options;
    const { oidc, publicUrl } = settings;
    const isHttps = (request: Request) => request.secure || publicUrl?.protocol === "https:";
    const originOf = (request: Request) =>
      publicUrl?.origin ?? `${request.protocol}://${request.host}`;
    const seals = new Seals(await sessionKey(dataDir));
    const cookies = new Cookies(isHttps);
    const ended = new EndedSessions(join(dataDir, "ended-sessions.json"), now);
    await ended.load();
    const sessions = new Sessions({
      seals,
      cookies,
      ended,
      users,
      lastsMs: settings.sessionMs,
      now,
    });
    return new SignIn(
      options,
      sessions,
      oidc && new OidcSignIn(oidc, { seals, cookies, originOf, log, now }),
      new ProblemCookie(seals, cookies),
    );
  }

  /** The ways in, for people to choose from. */
  get methods(): SignInMethod[] {
    const { local, oidc, proxy } = this.#settings;
    return [
      ...(oidc ? [{ kind: "oidc" as const, label: oidc.label, url: oidcPath }] : []),
      ...(proxy ? [{ kind: "proxy" as const, label: proxy.label }] : []),
      ...(local ? [{ kind: "password" as const, label: "Password or token" }] : []),
    ];
  }

  /** Whether what this address says of where a request comes from is believed. */
  isProxy(address: string | undefined): boolean {
    return this.#proxies.has(address) || (this.#proxy?.isProxy(address) ?? false);
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

  /** The same; without a caller for nobody, and with a problem for one who is turned away. */
  async identifyIfAny(request: Request): Promise<{ caller?: Caller; problem?: SignInProblem }> {
    try {
      return { caller: await this.identify(request) };
    } catch (error) {
      const code = codeOf(error) ?? "";
      if (["UNAUTHENTICATED", "RATE_LIMITED"].includes(code)) return {};
      if (code === "SIGN_IN_REFUSED") return { problem: signInProblem.parse(problemOf(error)) };
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

  /** Lets somebody in whom others have signed in. @throws BerthError SIGN_IN_REFUSED */
  async admit(identity: Identity): Promise<User> {
    const { groups, oidc } = this.#settings;
    return this.#users.admit(
      { ...identity, groups: identity.groups.filter((name) => groups.includes(name)) },
      { linkLocalUsers: oidc?.linkLocalUsers ?? false },
    );
  }

  async begin(request: Request, response: Response, user: User): Promise<void> {
    await this.#sessions.begin(request, response, user.name);
    this.#users.noteSeen(user.name);
  }

  async end(request: Request, response: Response): Promise<void> {
    const user = await this.#sessions.end(request, response);
    if (user !== undefined) this.#grants.lookAt(user);
  }

  /**
   * Calls `onOver` when what let this request in would not any more: the session is over, the user
   * removed, or no admin who was one. Returns the end of it.
   */
  whileLetIn(request: Request, caller: Caller, onOver: () => void): () => void {
    const { name, role } = caller;
    if (name === undefined) return () => undefined;
    const isStill = async () => {
      const now = await this.#recall(request);
      return now?.name === name && (now.role === "admin" || role !== "admin");
    };
    return this.#grants.add(name, isStill, onOver);
  }

  /** @throws BerthError CROSS_SITE_REQUEST */
  mustBeFromOwnPage(request: Request): void {
    mustBeFromOwnPage(request, this.#settings.publicUrl?.host);
  }

  /** Who asked, without letting anybody in anew. */
  async #recall(request: Request): Promise<User | undefined> {
    const token = tokenOf(request);
    if (token !== undefined) return this.#users.authenticate(token);
    const identity = this.#proxy?.identityOf(request);
    return identity ? this.#users.find(identity.name) : this.#sessions.userOf(request);
  }

  async #find(request: Request): Promise<Caller> {
    const token = tokenOf(request);
    if (token !== undefined) return callerOf(await this.#ofToken(request, token));
    // The proxy asks each time; a session that was begun otherwise must not speak over it.
    const identity = this.#proxy?.identityOf(request);
    const user = identity ? await this.admit(identity) : await this.#sessions.userOf(request);
    if (user) {
      this.mustBeFromOwnPage(request);
      return callerOf(user);
    }
    // A session that is over is no guess: pages left open shut nobody out who sits beside.
    if (this.#sessions.isNamed(request))
      throw unauthenticated("the session is over; sign in again");
    // Naming nobody is none: it costs nothing, and every browser does it that opens the page.
    throw unauthenticated();
  }

  /**
   * Failures count by address, where whole classes may sit behind one; those with the public part of
   * somebody's token by that, so that nobody's failures are another's. A token that was accepted
   * before is never refused.
   */
  #ofToken(request: Request, token: string): Promise<User> {
    const find = async () => {
      const user = await this.#users.authenticate(token);
      if (user) return user;
      throw unauthenticated("the token is not valid; ask an admin for a new one");
    };
    if (this.#users.isAccepted(token)) return find();
    const owner = this.#users.ownerOf(token);
    const key = owner === undefined ? ipKeyGenerator(request.ip ?? "") : `user ${owner}`;
    return this.#failures.guard(key, find);
  }

  #mustBeLocal(): void {
    if (this.#settings.local) return;
    throw new BerthError("FORBIDDEN", "signing in by password or token is switched off here");
  }
}

const callerOf = ({ name, role }: User): Caller => ({ name, role });
