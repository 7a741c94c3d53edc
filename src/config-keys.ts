import { stringify } from "yaml";
import { z } from "zod";

// What the schema of the configuration says about its keys, for those who write it down for people.

/** How values are spelled, of every kind that is not plain. */
export const spelling =
  "Sizes are written like `512M` or `10G` (powers of 1024), durations like `30m`, `2h` or `1d`, port ranges " +
  "like `20000-20999` (both ends included).";

/** One key, or a section of keys. */
export interface ConfigKey {
  /** `listen`, `port`; the name of an entry (`profiles.<name>`) in angle brackets. */
  path: string[];
  description: string;
  /** As the schema has it; undefined for none. */
  fallback?: unknown;
  /** What holds in its absence, in words, where there is no default. */
  absent?: string;
  /** A value to learn from. */
  example?: unknown;
  /** Must be given where its section is. */
  required: boolean;
  /** The values it may have, where those are few. */
  choices?: string[];
  keys?: ConfigKey[];
  /** Keys of a record have names of the operator's choice; one to learn from. */
  entry?: string;
}

/** The keys of an object's schema, in its order, each with what it holds. */
export function keysOf(schema: z.ZodObject, above: string[] = []): ConfigKey[] {
  return Object.entries(schema.shape).map(([name, child]) =>
    keyOf(child as z.ZodType, [...above, name]),
  );
}

/** Each with those inside it, sections before what they hold. */
export function flatten(keys: ConfigKey[]): ConfigKey[] {
  return keys.flatMap((key) => [key, ...flatten(key.keys ?? [])]);
}

/**
 * A name as it is shown for any: `profiles.<name>.ttl`.
 * @throws Error for a key that its schema does not explain: told at build time, and by a unit test
 */
function keyOf(schema: z.ZodType, path: string[]): ConfigKey {
  const { inner, fallback, optional, meta } = unwrap(schema);
  const told = meta as { description?: string } & Pick<ConfigKey, "absent" | "example" | "entry">;
  const { description, absent, example, entry } = told;
  if (description === undefined) throw new Error(`${path.join(".")} has no description`);
  const object = objectIn(inner);
  const below = inner instanceof z.ZodRecord ? [...path, "<name>"] : path;
  const keys = object && keysOf(object, below);
  if (!keys && fallback === undefined && example === undefined)
    throw new Error(`${path.join(".")} has neither default nor example`);
  if (optional && absent === undefined)
    throw new Error(`${path.join(".")} does not say what holds in its absence`);
  return {
    path,
    description,
    required: !optional && fallback === undefined,
    ...(fallback === undefined ? {} : { fallback }),
    ...(absent === undefined ? {} : { absent }),
    ...(example === undefined ? {} : { example }),
    ...(inner instanceof z.ZodEnum ? { choices: inner.options.map(String) } : {}),
    ...(keys ? { keys } : {}),
    ...(inner instanceof z.ZodRecord ? { entry: entry ?? "name" } : {}),
  };
}

interface Unwrapped {
  inner: z.ZodType;
  fallback: unknown;
  optional: boolean;
  /** The outermost there is: what lies deeper describes any value of that kind. */
  meta: Record<string, unknown>;
}

function unwrap(schema: z.ZodType): Unwrapped {
  const meta = schema.meta();
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    const below = unwrap(schema.unwrap() as z.ZodType);
    return { ...below, fallback: schema.def.defaultValue, meta: meta ?? below.meta };
  }
  if (schema instanceof z.ZodOptional) {
    const below = unwrap(schema.unwrap() as z.ZodType);
    return { ...below, optional: true, meta: meta ?? below.meta };
  }
  return { inner: schema, fallback: undefined, optional: false, meta: meta ?? {} };
}

/** Where keys are: an object itself, that among the forms of a value, what a record holds. */
function objectIn(schema: z.ZodType): z.ZodObject | undefined {
  if (schema instanceof z.ZodObject) return schema;
  if (schema instanceof z.ZodRecord) return objectIn(schema.valueType as z.ZodType);
  if (schema instanceof z.ZodUnion)
    return (schema.options as z.ZodType[]).find((option) => option instanceof z.ZodObject);
  return undefined;
}

/** A value as YAML has it, on one line. */
export function inYaml(value: unknown): string {
  return stringify(value, {
    collectionStyle: "flow",
    flowCollectionPadding: false,
    lineWidth: 0,
  }).trim();
}

/** What a key is for, and the values it may have where those are few. */
export function explain({ description, choices }: ConfigKey): string {
  if (!choices || choices.every((choice) => description.includes(`\`${choice}\``)))
    return description;
  return `${description} One of ${choices.map((choice) => `\`${choice}\``).join(", ")}.`;
}

/** A value to learn from, as a sentence to go on with; nothing where there is none. */
export function exampleOf({ example }: ConfigKey): string {
  return example === undefined ? "" : ` For example: \`${inYaml(example)}\`.`;
}
