import { randomUUID } from "node:crypto";
import type { Express, Request } from "express";
import { sendProblem } from "./page-data.js";

export interface Caller {
  user?: string;
  role: "user" | "admin";
}

/** Who is signed in to the fake: by password, by token, or by a provider that knows one user only. */
export class PageSessions {
  /** false: a Berth of before sessions, which takes a token with each request. */
  enabled = true;
  readonly tokens = new Map<string, Caller>();
  readonly passwords = new Map<string, { password: string; caller: Caller }>();
  methods: { kind: "password" | "oidc"; label: string; url?: string }[] = [
    { kind: "password", label: "Name and password" },
  ];
  /** Whom the provider of OpenID Connect sends back. */
  oidcUser: Caller | undefined;
  /** What went wrong at the provider, told with the next answer. */
  problem: { title: string; detail: string; code: string } | undefined;
  readonly #open = new Map<string, Caller>();

  addUser(user: string, password: string, role: Caller["role"] = "user"): void {
    this.passwords.set(user, { password, caller: { user, role } });
  }

  /** Ends every session, as time does. */
  endAll(): void {
    this.#open.clear();
    this.tokens.clear();
  }

  callerOf(request: Request): Caller | undefined {
    const { authorization = "", cookie = "" } = request.headers;
    const token = this.tokens.get(authorization.replace(/^Bearer /, ""));
    if (!this.enabled) return token;
    return token ?? this.#open.get(/berth_session=([\w-]+)/.exec(cookie)?.[1] ?? "");
  }

  addTo(app: Express): void {
    app.use("/v1/session", (_request, response, next) => {
      if (this.enabled) next();
      else sendProblem(response, 404, "NOT_FOUND", "there is nothing at /v1/session");
    });
    app.get("/v1/session", (request, response) => {
      const caller = this.callerOf(request);
      const { methods, problem } = this;
      this.problem = undefined;
      response.json({ signedIn: caller !== undefined, ...caller, methods, problem });
    });
    app.post("/v1/session", (request, response) => {
      const caller = this.#check(request.body as Record<string, string>);
      if (!caller) {
        sendProblem(response, 401, "UNAUTHENTICATED", "wrong");
        return;
      }
      response.cookie("berth_session", this.#begin(caller), { httpOnly: true, sameSite: "lax" });
      response.json({ signedIn: true, ...caller, methods: this.methods });
    });
    app.delete("/v1/session", (_request, response) => {
      this.#open.clear();
      response.clearCookie("berth_session").status(204).end();
    });
    app.get("/v1/session/oidc", (_request, response) => {
      if (this.oidcUser) response.cookie("berth_session", this.#begin(this.oidcUser));
      response.redirect("/");
    });
  }

  #check({ user = "", password, token = "" }: Record<string, string>): Caller | undefined {
    const known = this.passwords.get(user);
    return known && known.password === password ? known.caller : this.tokens.get(token);
  }

  #begin(caller: Caller): string {
    const key = randomUUID();
    this.#open.set(key, caller);
    return key;
  }
}
