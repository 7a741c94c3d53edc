import { parseCookie, stringifySetCookie } from "cookie";
import type { Request, Response } from "express";

export const sessionCookie = "berth_session";

/**
 * Cookies of ours. No script reads them, and no other site's request but a link that is followed
 * carries them. With TLS their names begin with __Host-, by which a browser takes them from nobody but
 * this very host by HTTPS, and not from a neighbour below the same domain (RFC 6265bis, 4.1.3.2).
 */
export class Cookies {
  /** @param isHttps whether browsers come by HTTPS, whatever a request looks like here */
  constructor(private readonly isHttps: (request: Request) => boolean) {}

  read(request: Request, cookie: string): string | undefined {
    return parseCookie(request.headers.cookie ?? "")[this.#nameOf(request, cookie)];
  }

  set(request: Request, response: Response, cookie: string, value: string, maxAgeMs: number): void {
    response.append(
      "Set-Cookie",
      stringifySetCookie({
        name: this.#nameOf(request, cookie),
        value,
        path: "/",
        maxAge: Math.floor(maxAgeMs / 1000),
        httpOnly: true,
        sameSite: "lax",
        secure: this.isHttps(request),
      }),
    );
  }

  clear(request: Request, response: Response, cookie: string): void {
    this.set(request, response, cookie, "", 0);
  }

  #nameOf(request: Request, cookie: string): string {
    return this.isHttps(request) ? `__Host-${cookie}` : cookie;
  }
}
