// Who uses the page: from the server's session, or (to a Berth without sessions) from a token.

import { apiRequest } from "../../../lib/api/request.js";
import { Api } from "./api.js";
import type { Connection } from "./connection.js";
import { backoffMs, waitFor } from "./follow.js";
import { ApiError, isPassing, problemOf } from "./problem.js";
import { forgetAll, forgetToken, keepFor, loadToken, saveToken } from "./storage.js";
import { Store } from "./store.js";
import type { Credentials, Me, Method, Problem, SessionAnswer } from "./types.js";

export interface Ways {
  /** Empty when only a token works. */
  methods: Method[];
  /** Whether the server keeps sessions; else each request carries the token. */
  hasSessions: boolean;
}

export type SessionState =
  | { kind: "starting" }
  | { kind: "out"; ways: Ways; problem?: Problem | undefined }
  /** `expired`: the session ended while the page was in use; what is on it stays until the next sign-in. */
  | { kind: "in"; ways: Ways; api: Api; me: Me; expired: boolean };

export class Session {
  readonly state = new Store<SessionState>({ kind: "starting" });

  constructor(private readonly connection: Connection) {}

  /** Takes up the session of before the reload; waits for a server that does not answer. */
  async start(signal: AbortSignal): Promise<void> {
    for (let attempt = 0; !signal.aborted; attempt++) {
      try {
        await this.#begin();
        this.connection.set("session", true);
        return;
      } catch (error) {
        if (!isPassing(error)) {
          const ways = { methods: [], hasSessions: true };
          this.state.set({ kind: "out", ways, problem: problemOf(error) });
          return;
        }
        this.connection.set("session", false);
        await waitFor(backoffMs(attempt), signal);
      }
    }
  }

  /** @throws ApiError when the server does not take them */
  async signIn(credentials: Credentials): Promise<void> {
    const { ways } = this.#waysNow();
    if (ways.hasSessions) {
      await new Api().ask(apiRequest("post", "/v1/session", { body: credentials }));
      await this.#enter(undefined, ways);
      return;
    }
    if (!("token" in credentials)) throw new TypeError("without sessions only a token signs in");
    await this.#enter(credentials.token, ways);
    saveToken(credentials.token);
  }

  /** Ends the session on the server too; nothing of the user stays here, whatever it answers. */
  async signOut(): Promise<void> {
    const { ways } = this.#waysNow();
    if (ways.hasSessions) {
      await new Api().ask(apiRequest("delete", "/v1/session")).catch((error: unknown) => {
        // Signed out already; every other fault leaves a session that its user believes ended.
        if (!(error instanceof ApiError) || error.status !== 401) throw error;
      });
    }
    forgetAll();
    this.state.set({ kind: "out", ways });
  }

  /** Leaves an expired session behind without signing in again. */
  leave(): void {
    forgetAll();
    this.state.set({ kind: "out", ways: this.#waysNow().ways });
  }

  async #begin(): Promise<void> {
    const found = await this.#ask();
    const ways = { methods: found?.methods ?? [], hasSessions: found !== undefined };
    const token = found ? undefined : loadToken();
    if (!found?.signedIn && token === undefined) {
      this.state.set({ kind: "out", ways, problem: found?.problem });
      return;
    }
    try {
      await this.#enter(token, ways);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
      forgetAll();
      this.state.set({ kind: "out", ways, problem: signedOut });
    }
  }

  /** undefined: this Berth has no sessions. */
  async #ask(): Promise<SessionAnswer | undefined> {
    try {
      return await new Api().json(apiRequest("get", "/v1/session"));
    } catch (error) {
      if (error instanceof ApiError && [401, 404].includes(error.status)) return undefined;
      throw error;
    }
  }

  async #enter(token: string | undefined, ways: Ways): Promise<void> {
    const me = await new Api(token).me();
    const api: Api = new Api(token, () => {
      this.#expire(api);
    });
    keepFor(me.user ?? "");
    this.state.set({ kind: "in", ways, api, me, expired: false });
  }

  /** Several requests may learn it at once, or one from before another sign-in. */
  #expire(api: Api): void {
    const state = this.state.value;
    if (state.kind !== "in" || state.api !== api || state.expired) return;
    forgetToken();
    this.state.set({ ...state, expired: true });
  }

  #waysNow(): { ways: Ways } {
    const state = this.state.value;
    return state.kind === "starting" ? { ways: { methods: [], hasSessions: true } } : state;
  }
}

const signedOut: Problem = {
  title: "You are signed out",
  detail: "Your session is over. Sign in again.",
  code: "",
};
