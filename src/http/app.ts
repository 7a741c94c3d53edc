import express, { type Express, type Request, type RequestHandler } from "express";
import { BerthError } from "../lib/errors.js";
import { parseStrictly } from "../lib/strict-issues.js";
import { mustBeAdmin } from "./caller.js";
import type { HttpContext } from "./context.js";
import { notFound, problemHandler } from "./problem.js";
import type { Route } from "./route.js";
import { allRoutes } from "./routes.js";
import { securityHeaders } from "./security-headers.js";
import { servePage } from "./serve-page.js";

/** Builds the application; listening is a matter of listen.ts. */
export function buildApp(context: HttpContext): Express {
  const routes = allRoutes(context);
  const app = express();
  app.disable("x-powered-by").disable("etag").set("query parser", "simple");
  app.set("trust proxy", (address: string) => context.signIn.isProxy(address));
  const provider = context.signIn.oidc?.settings.issuer;
  app.use(securityHeaders(provider === undefined ? [] : [new URL(provider).origin]));
  for (const route of routes) {
    app[route.method](expressPath(route.path), ...handlers(route, context));
  }
  for (const path of new Set(routes.map((route) => route.path))) {
    app.all(expressPath(path), methodNotAllowed(methodsOf(path, routes)));
  }
  servePage(app, context.pageDir);
  app.use(notFound, problemHandler(context.log));
  return app;
}

/** Checks who asks and what, then hands over to the route. Who asks comes first: strangers learn nothing. */
function handlers(route: Route, context: HttpContext): RequestHandler[] {
  const serve: RequestHandler = async (request, response) => {
    await route.handle({
      caller: response.locals["caller"] as never,
      params: request.params as Record<string, string>,
      body: route.body && parseStrictly(route.body, bodyOf(request), "the request"),
      query: route.query && parseStrictly(route.query, request.query, "the query"),
      request,
      response,
    });
  };
  const authenticate: RequestHandler = async (request, response, next) => {
    const caller = await context.signIn.identify(request);
    if (route.access === "admin") mustBeAdmin(caller);
    response.locals["caller"] = caller;
    // What one may see is nothing to keep for whoever sits at the same machine, or proxy, next.
    response.setHeader("Cache-Control", "no-store");
    next();
  };
  // Every body is read as JSON, whatever it says it is: there is nothing else to read it as.
  const readBody = express.json({ type: () => true, limit: "64kb", strict: false });
  return [
    ...(route.access === "open" ? [] : [authenticate]),
    ...(route.body ? [readBody] : []),
    serve,
  ];
}

/** No body at all is an empty request; a body `null` is not. */
const bodyOf = (request: Request): unknown =>
  request.body === undefined ? {} : (request.body as unknown);

const expressPath = (path: string): string => path.replace(/\{(\w+)\}/g, ":$1");

/** As the Allow header names them (RFC 9110, 10.2.1); express answers HEAD wherever there is a GET. */
function methodsOf(path: string, routes: Route[]): string[] {
  const methods = routes.filter((route) => route.path === path).map(({ method }) => method);
  return [...methods, ...(methods.includes("get") ? ["head"] : [])].map((m) => m.toUpperCase());
}

function methodNotAllowed(allowed: string[]): RequestHandler {
  return (request, response) => {
    response.setHeader("Allow", allowed.join(", "));
    throw new BerthError("METHOD_NOT_ALLOWED", `${request.path} takes ${allowed.join(", ")} only`);
  };
}
