import type { RequestHandler } from "express";

/**
 * What browsers are told with every answer. Nothing from elsewhere is loaded, run, asked or framed.
 * @param formTargets origins beside ours that a form may lead to, by redirects too: the provider's
 */
export function securityHeaders(formTargets: string[] = []): RequestHandler {
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "base-uri 'none'",
    `form-action ${["'self'", ...formTargets].join(" ")}`,
    "frame-ancestors 'none'",
  ].join("; ");
  return (request, response, next) => {
    response.set({
      "Content-Security-Policy": policy,
      "X-Content-Type-Options": "nosniff",
      "Referrer-Policy": "no-referrer",
      "Cross-Origin-Resource-Policy": "same-origin",
    });
    // Browsers ignore it, with a complaint, where there is no TLS.
    if (request.secure) response.set("Cross-Origin-Opener-Policy", "same-origin");
    next();
  };
}
