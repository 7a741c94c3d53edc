import type { Request, Response } from "express";
import type { z } from "zod";
import type { ErrorCode } from "../lib/errors.js";
import type { Caller } from "./caller.js";

/** A request whose every part has been checked. */
export interface Call<Body, Query> {
  caller: Caller;
  /** Path parameters, as they stand in the path. */
  params: Record<string, string>;
  body: Body;
  query: Query;
  request: Request;
  response: Response;
}

export interface Answer {
  description: string;
  /** JSON of this schema; without it `contentTypes` or no body at all. */
  schema?: z.ZodType;
  contentTypes?: string[];
}

/**
 * One route, as it is served and as /openapi.json describes it; both come from here.
 */
export interface Route {
  method: "get" | "post" | "put" | "patch" | "delete";
  /** With parameters in braces: `/v1/sandboxes/{id}`. */
  path: string;
  summary: string;
  /** `open`: for everybody; `admin`: only role admin and root. */
  access: "open" | "user" | "admin";
  body?: z.ZodType;
  query?: z.ZodObject;
  answers: Record<number, Answer>;
  /** Codes beside those every route can give (UNAUTHENTICATED, INVALID_REQUEST, INTERNAL). */
  errors: ErrorCode[];
  handle(call: Call<unknown, unknown>): Promise<void> | void;
}

type OutputOf<S> = S extends z.ZodType ? z.output<S> : undefined;

/** Gives `handle` the types of the schemas beside it. */
export function route<
  const B extends z.ZodType | undefined = undefined,
  const Q extends z.ZodObject | undefined = undefined,
>(
  given: Omit<Route, "handle" | "body" | "query"> & {
    body?: B;
    query?: Q;
    handle(call: Call<OutputOf<B>, OutputOf<Q>>): Promise<void> | void;
  },
): Route {
  // The app parses body and query with exactly these schemas before it calls handle.
  return given as unknown as Route;
}
