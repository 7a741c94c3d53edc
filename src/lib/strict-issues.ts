import { distance } from "fastest-levenshtein";
import { z } from "zod";
import { BerthError, type ErrorCode, type Issue } from "./errors.js";

/**
 * Parses with a strict schema; faults become one BerthError whose issues name each path, and an
 * unknown key the nearest known one.
 * @param what names the thing in the message: `/etc/berth/berth.yaml`, `The request`.
 */
export function parseStrictly<S extends z.ZodType>(
  schema: S,
  value: unknown,
  what: string,
  code: ErrorCode = "INVALID_REQUEST",
): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issues = result.error.issues.flatMap((issue) => explain(issue, schema));
  const text = issues.map(({ path, message }) => (path ? `${path}: ${message}` : message));
  throw new BerthError(code, `${what} is not valid: ${text.join("; ")}`, { issues });
}

function explain(issue: z.core.$ZodIssue, schema: z.ZodType): Issue[] {
  if (issue.code === "unrecognized_keys") {
    const known = knownKeys(schema, issue.path);
    return issue.keys.map((key) => ({
      path: [...issue.path, key].join("."),
      message: `unknown key${suggestion(key, known)}`,
    }));
  }
  // A union's own message is "Invalid input": its first branch that says more is what helps.
  if (issue.code === "invalid_union") {
    const inner = issue.errors.flat()[0];
    if (inner) return [{ path: issue.path.join("."), message: inner.message }];
  }
  return [{ path: issue.path.join("."), message: issue.message }];
}

/** `, did you mean "memory"?`, or the known keys when nothing is near. */
export function suggestion(key: string, known: string[]): string {
  const [nearest] = known
    .map((name) => ({ name, edits: distance(key.toLowerCase(), name.toLowerCase()) }))
    .sort((a, b) => a.edits - b.edits);
  if (!nearest) return "";
  if (nearest.edits <= Math.max(2, nearest.name.length / 3))
    return `, did you mean "${nearest.name}"?`;
  return `; known: ${known.join(", ")}`;
}

/** The keys of the object schema at `path`, through defaults, optionals, pipes and records. */
function knownKeys(schema: z.ZodType, path: PropertyKey[]): string[] {
  let current = unwrap(schema);
  for (const part of path) {
    if (current instanceof z.ZodObject) {
      const child: unknown = current.shape[String(part)];
      if (!(child instanceof z.ZodType)) return [];
      current = unwrap(child);
    } else if (current instanceof z.ZodRecord) {
      current = unwrap(current.valueType as z.ZodType);
    } else return [];
  }
  return current instanceof z.ZodObject ? Object.keys(current.shape) : [];
}

function unwrap(schema: z.ZodType): z.ZodType {
  if (
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodPrefault
  )
    return unwrap(schema.unwrap() as z.ZodType);
  if (schema instanceof z.ZodPipe) return unwrap(schema.in as z.ZodType);
  return schema;
}
