import { parseCookie, stringifySetCookie } from "cookie";
import type { Request, Response } from "express";

export interface Cookie {
  name: string;
  path: string;
}

export const sessionCookie: Cookie = { name: "berth_session", path: "/" };

/**
 * Cookies of ours. No script reads them, and no other site's request but a link that is followed
 * carries them. With TLS their names begin with __Host- (or __Secure-), by which a browser keeps them
 * from being set by others below the same domain (RFC 6265bis, 4.1.3).
 */
export class Cookies {
  /** @param isHttps whether browsers come by HTTPS, whatever a request looks like here */
  constructor(private readonly isHttps: (request: Request) => boolean) {}

  read(request: Request, cookie: Cookie): string | undefined {
    return parseCookie(request.headers.cookie ?? "")[this.#nameOf(request, cookie)];
  }

  set(request: Request, response: Response, cookie: Cookie, value: string, maxAgeMs: number): void {
    response.append(
      "Set-Cookie",
      stringifySetCookie({
        name: this.#nameOf(request, cookie),
        value,
        path: cookie.path,
        maxAge: Math.floor(maxAgeMs / 1000),
        httpOnly: true,
        sameSite: "lax",
        secure: this.isHttps(request),
      }),
    );
  }

  clear(request: Request, response: Response, cookie: Cookie): void {
    this.set(request, response, cookie, "", 0);
  }

  #nameOf(request: Request, { name, path }: Cookie): string {
    if (!this.isHttps(request)) return name;
    return `${path === "/" ? "__Host-" : "__Secure-"}${name}`;
  }
}
