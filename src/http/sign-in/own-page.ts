import type { Request } from "express";
import { BerthError } from "../../lib/errors.js";

/**
 * Refuses what another site makes a browser ask (cross-site request forgery). Called for every request
 * that changes something and that the browser itself says who it is from: by cookie, or by what a
 * proxy adds. Two locks, each enough by itself:
 * - the browser's own word where it gives one: Sec-Fetch-Site (Fetch Metadata) or else Origin;
 * - `X-Berth-Request: 1`, or a body that says it is JSON: a form sends neither, and a script of another
 *   origin must ask first (CORS preflight), which nothing here ever allows.
 * @param publicHost host and port at which browsers reach us, where a proxy changes the Host header
 * @throws BerthError CROSS_SITE_REQUEST
 */
export function mustBeFromOwnPage(request: Request, publicHost: string | undefined): void {
  if (["GET", "HEAD", "OPTIONS"].includes(request.method)) return;
  if (!isSameOrigin(request, publicHost)) {
    throw new BerthError(
      "CROSS_SITE_REQUEST",
      "this comes from a page of another site; open Berth's own page and do it there (behind a proxy, publicUrl in the configuration must say its address)",
    );
  }
  const isMarked = request.get("X-Berth-Request") === "1" || saysJson(request);
  if (isMarked) return;
  throw new BerthError(
    "CROSS_SITE_REQUEST",
    "who is signed in by cookie sends `X-Berth-Request: 1` with what changes something, or a body with `Content-Type: application/json`",
  );
}

function isSameOrigin(request: Request, publicHost: string | undefined): boolean {
  const site = request.get("Sec-Fetch-Site");
  if (site !== undefined) return site === "same-origin";
  const origin = request.get("Origin");
  // Browsers send it with all but GET and HEAD; who sends none is no browser.
  if (origin === undefined) return true;
  if (!URL.canParse(origin)) return false;
  const { host } = new URL(origin);
  return host === request.host || host === publicHost;
}

/** Not by `request.is`, which wants a body as well. */
function saysJson(request: Request): boolean {
  const [type = ""] = (request.get("Content-Type") ?? "").split(";");
  return type.trim().toLowerCase() === "application/json";
}
