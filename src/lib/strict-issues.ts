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
  // A union's own message is "Invalid input": the branch that takes values of this kind says more.
  if (issue.code === "invalid_union") {
    const branch = issue.errors.find((faults) => !faults.some(isOfAnotherKind)) ?? issue.errors[0];
    const inner = branch?.map((fault) => ({ ...fault, path: [...issue.path, ...fault.path] }));
    if (inner?.length) return inner.flatMap((fault) => explain(fault, schema));
  }
  if (issue.code === "invalid_key") {
    const message = issue.issues[0]?.message ?? issue.message;
    return [{ path: issue.path.join("."), message }];
  }
  return [{ path: issue.path.join("."), message: issue.message }];
}

const isOfAnotherKind = ({ code, path }: z.core.$ZodIssue): boolean =>
  code === "invalid_type" && path.length === 0;

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

/** The keys of the object schema at `path`, through defaults, optionals, pipes, unions and records. */
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
  if (schema instanceof z.ZodUnion) {
    const options = (schema.options as z.ZodType[]).map(unwrap);
    return options.find((option) => option instanceof z.ZodObject) ?? schema;
  }
  return schema;
}
