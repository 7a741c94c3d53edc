import { z } from "zod";
import { incidentEvent, stateEvent, stepEvent } from "../lib/contract/sandbox.js";
import { problemSchema } from "../lib/contract/problem.js";
import type { ErrorCode } from "../lib/errors.js";
import { statuses } from "./problem.js";
import type { Answer, Route } from "./route.js";
import { sessionCookie } from "./sign-in/cookies.js";

/** The OpenAPI 3.1 document of these routes, from the same schemas that check them. */
export function openApi(routes: Route[], version: string): object {
  const components = new Components();
  for (const schema of [problemSchema, stepEvent, stateEvent, incidentEvent]) {
    components.refer(schema, "output");
  }
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    (paths[route.path] ??= {})[route.method] = operation(route, components);
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Berth",
      version,
      description: "A Docker Engine of their own for every user of a shared Linux server.",
    },
    paths,
    components: {
      securitySchemes: {
        token: { type: "http", scheme: "bearer" },
        session: {
          type: "apiKey",
          in: "cookie",
          name: sessionCookie,
          description:
            "What changes something needs `X-Berth-Request: 1` beside it, or a JSON body that says so. With TLS the name begins with __Host-.",
        },
      },
      schemas: components.schemas,
    },
  };
}

function operation(route: Route, components: Components): object {
  return {
    summary: route.summary,
    ...(route.access === "open" ? {} : { security: [{ token: [] }, { session: [] }] }),
    parameters: parameters(route, components),
    ...(route.body
      ? {
          requestBody: {
            content: { "application/json": { schema: components.refer(route.body, "input") } },
          },
        }
      : {}),
    responses: { ...answers(route.answers, components), ...problems(route, components) },
  };
}

function parameters(route: Route, components: Components): object[] {
  const inPath = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
  const inQuery = Object.entries<z.ZodType>(route.query?.shape ?? {}).map(([name, schema]) => ({
    name,
    in: "query",
    required: !schema.safeParse(undefined).success,
    schema: components.refer(schema, "input"),
  }));
  return [...inPath, ...inQuery];
}

function answers(given: Record<number, Answer>, components: Components): Record<string, object> {
  return Object.fromEntries(
    Object.entries(given).map(([status, { description, schema, contentTypes }]) => {
      const content = schema
        ? { "application/json": { schema: components.refer(schema, "output") } }
        : Object.fromEntries((contentTypes ?? []).map((type) => [type, {}]));
      return [status, { description, ...(Object.keys(content).length > 0 ? { content } : {}) }];
    }),
  );
}

/** One answer per status; its description lists the codes that come with it. */
function problems(route: Route, components: Components): Record<string, object> {
  const common: ErrorCode[] =
    route.access === "open" ? [] : ["UNAUTHENTICATED", "RATE_LIMITED", "SIGN_IN_REFUSED"];
  if (route.access !== "open" && route.method !== "get") common.push("CROSS_SITE_REQUEST");
  const checked: ErrorCode[] = route.body
    ? ["INVALID_REQUEST", "BODY_NOT_JSON", "BODY_TOO_LARGE"]
    : route.query
      ? ["INVALID_REQUEST"]
      : [];
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of [...route.errors, ...common, ...checked, "INTERNAL" as const]) {
    const { status } = statuses[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const schema = components.refer(problemSchema, "output");
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      String(status),
      { description: codes.join(", "), content: { "application/problem+json": { schema } } },
    ]),
  );
}

/** Schemas that have a name: said once in the document, referred to everywhere. */
class Components {
  readonly schemas: Record<string, object> = {};

  /** The JSON Schema of `schema`, or a reference to it. */
  refer(schema: z.ZodType, io: "input" | "output"): object {
    // The dialect ($schema) is OpenAPI 3.1's own.
    const {
      $schema: _,
      $defs = {},
      ...rest
    } = rooted(z.toJSONSchema(schema, { io, unrepresentable: "any" }));
    Object.assign(this.schemas, $defs);
    return rest;
  }
}

/** References of zod's start at the schema; in the document, they start at its root. */
function rooted(schema: z.core.JSONSchema.BaseSchema): z.core.JSONSchema.BaseSchema {
  const text = JSON.stringify(schema).replaceAll('"#/$defs/', '"#/components/schemas/');
  return JSON.parse(text) as z.core.JSONSchema.BaseSchema;
}
