import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import Provider from "oidc-provider";

export interface Person {
  preferred_username?: string;
  groups?: unknown;
  [claim: string]: unknown;
}

/** A real provider of OpenID Connect on loopback, with people to sign in as; any password does. */
export class FakeProvider {
  readonly people = new Map<string, Person>();
  readonly clientId = "berth";
  readonly clientSecret = "secret-of-the-client";
  /** Whether it answers at all. */
  isAway = false;
  #server!: Server;

  static async start(): Promise<FakeProvider> {
    const provider = new FakeProvider();
    provider.#server = createServer().listen(0, "127.0.0.1");
    await once(provider.#server, "listening");
    return provider;
  }

  get issuer(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Knows Berth, once it is known where that is. */
  register(redirectUri: string): void {
    const oidc = new Provider(this.issuer, {
      clients: [
        {
          client_id: this.clientId,
          client_secret: this.clientSecret,
          redirect_uris: [redirectUri],
        },
      ],
      claims: { openid: ["sub"], profile: ["preferred_username", "name", "groups"] },
      findAccount: (_context, id) => ({
        accountId: id,
        claims: () => ({ sub: id, ...this.people.get(id) }),
      }),
      pkce: { required: () => true },
      cookies: { keys: ["a key of the provider's"] },
      jwks: undefined,
    });
    const answer = oidc.callback();
    this.#server.on("request", (request, response) => {
      if (this.isAway) response.destroy();
      else void answer(request, response);
    });
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

/** A browser, as far as signing in needs one: cookies, redirects, and the provider's two forms. */
export class FakeBrowser {
  readonly #cookies = new Map<string, Map<string, string>>();
  /** Where it has been. */
  readonly visited: string[] = [];

  cookies(origin: string): Map<string, string> {
    const jar = this.#cookies.get(origin) ?? new Map<string, string>();
    this.#cookies.set(origin, jar);
    return jar;
  }

  /** One request, no redirect followed. */
  async ask(url: string, init: RequestInit = {}): Promise<Response> {
    const { origin } = new URL(url);
    const jar = this.cookies(origin);
    const headers = new Headers(init.headers);
    if (jar.size > 0) headers.set("cookie", [...jar].map(([n, v]) => `${n}=${v}`).join("; "));
    this.visited.push(url);
    const answer = await fetch(url, { ...init, headers, redirect: "manual" });
    for (const set of answer.headers.getSetCookie()) {
      const [pair = "", ...attributes] = set.split("; ");
      const equals = pair.indexOf("=");
      const name = pair.slice(0, equals);
      const isGone = attributes.some((one) => /^max-age=0$|^expires=thu, 01 jan 1970/i.test(one));
      if (isGone) jar.delete(name);
      else jar.set(name, pair.slice(equals + 1));
    }
    return answer;
  }

  /** Follows redirects, and fills in the provider's forms, until `isEnd` or a page that is neither. */
  async go(url: string, login: string, isEnd: (url: string) => boolean = () => false) {
    let next = url;
    let form: URLSearchParams | undefined;
    for (let i = 0; i < 20; i++) {
      if (isEnd(next)) return { url: next, answer: undefined };
      const answer = await this.ask(next, form ? { method: "POST", body: form } : {});
      const location = answer.headers.get("location");
      if (location !== null) {
        next = new URL(location, next).href;
        form = undefined;
        continue;
      }
      const text = await answer.clone().text();
      const prompt = /name="prompt" value="(login|consent)"/.exec(text)?.[1];
      const action = /<form[^>]* action="([^"]+)"/.exec(text)?.[1];
      if (prompt === undefined || action === undefined) return { url: next, answer };
      next = new URL(action, next).href;
      form = new URLSearchParams({
        prompt,
        ...(prompt === "login" ? { login, password: "x" } : {}),
      });
    }
    throw new Error(`no end of redirects: ${this.visited.join(" ")}`);
  }
}
