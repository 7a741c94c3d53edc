import type { paths } from "./schema.js";

// The API's requests, typed by its own description (schema.ts, generated from /openapi.json). The CLI
// and the page send them each in their own way.

type Method = "get" | "post" | "put" | "patch" | "delete";

/** Paths that have this method. */
export type PathOf<M extends Method> = {
  [P in keyof paths]: paths[P] extends Record<M, object> ? P : never;
}[keyof paths];

type Operation<M extends Method, P extends PathOf<M>> =
  paths[P] extends Record<M, infer O> ? O : never;

type JsonOf<R> = R extends { content: { "application/json": infer J } } ? J : undefined;

type SuccessOf<R> = R[Extract<keyof R, 200 | 201 | 202 | 204>];

/** What a request is answered with when it succeeds; undefined for what is no JSON. */
export type AnswerOf<M extends Method, P extends PathOf<M>> =
  Operation<M, P> extends { responses: infer R } ? JsonOf<SuccessOf<R>> : never;

type Part<O, K extends string> = O extends { parameters: Record<K, infer V> }
  ? V extends object
    ? V
    : unknown
  : unknown;

type QueryOf<O> = O extends { parameters: { query?: infer Q } } ? Q : undefined;

type BodyOf<O> = O extends { requestBody?: infer B }
  ? NonNullable<B> extends { content: { "application/json": infer J } }
    ? J
    : undefined
  : undefined;

/** What a request carries. */
export interface Parts<M extends Method, P extends PathOf<M>> {
  path?: Part<Operation<M, P>, "path">;
  query?: QueryOf<Operation<M, P>>;
  body?: BodyOf<Operation<M, P>>;
}

/** One request to the API, and in its type the answer. */
export interface ApiRequest<Answer> {
  method: Uppercase<Method>;
  /** With its parameters filled in, and the query. */
  path: string;
  body?: unknown;
  /** Never there: it carries the type. */
  readonly answer?: Answer;
}

/** `apiRequest("post", "/v1/sandboxes/{id}/extend", { path: { id }, body: { ttl: "4h" } })` */
export function apiRequest<M extends Method, P extends PathOf<M>>(
  method: M,
  template: P,
  parts: Parts<M, P> = {},
): ApiRequest<AnswerOf<M, P>> {
  const {
    path = {},
    query = {},
    body,
  } = parts as { path?: object; query?: object; body?: unknown };
  const values = new Map(Object.entries<string>({ ...path }));
  const filled = template.replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(values.get(name) ?? ""),
  );
  const search = new URLSearchParams(
    Object.entries<string | undefined>({ ...query }).filter(
      (pair): pair is [string, string] => pair[1] !== undefined,
    ),
  ).toString();
  return {
    method: method.toUpperCase() as Uppercase<M>,
    path: search === "" ? filled : `${filled}?${search}`,
    ...(body === undefined ? {} : { body }),
  };
}
