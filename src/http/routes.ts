import type { HttpContext } from "./context.js";
import { openApi } from "./openapi.js";
import type { Route } from "./route.js";
import { hostRoutes } from "./routes/host.js";
import { operationRoutes } from "./routes/operations.js";
import { sandboxRoutes } from "./routes/sandboxes.js";
import { sessionRoutes } from "./routes/session.js";
import { userRoutes } from "./routes/users.js";

/** Every route there is, the one that describes them among them. */
export function allRoutes(context: HttpContext): Route[] {
  const routes = [
    ...sandboxRoutes(context),
    ...sessionRoutes(context),
    ...userRoutes(context),
    ...hostRoutes(context),
    ...operationRoutes(context),
  ];
  const document: Route = {
    method: "get",
    path: "/openapi.json",
    summary: "This description",
    access: "open",
    answers: { 200: { description: "OpenAPI 3.1", contentTypes: ["application/json"] } },
    errors: [],
    handle({ response }) {
      response.json(openApi([...routes, document], context.version));
    },
  };
  return [...routes, document];
}

/** What /openapi.json says, without a daemon: nothing of a context is touched before a request comes. */
export function describeApi(version: string): object {
  return openApi(allRoutes({ version } as HttpContext), version);
}
