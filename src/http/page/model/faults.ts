import type { Problem } from "./types.js";

export interface Faults<Name extends string> {
  /** What is wrong with single fields. */
  fields: Partial<Record<Name, string>>;
  /** The first of `names` that has a fault. */
  first?: Name;
  /** What belongs to no field, or the whole problem when it names none. */
  rest?: Problem;
}

/** Sorts a refusal of the API by the fields of a form. */
export function faultsOf<Name extends string>(
  problem: Problem | undefined,
  names: readonly Name[],
): Faults<Name> {
  if (!problem) return { fields: {} };
  const fields: Partial<Record<Name, string>> = {};
  const others: NonNullable<Problem["errors"]> = [];
  for (const fault of problem.errors ?? []) {
    const last = fault.path.split(/[./]/).at(-1);
    const name = names.find((one) => one === last);
    if (name === undefined) others.push(fault);
    else fields[name] ??= fault.message;
  }
  const first = names.find((name) => fields[name] !== undefined);
  // Told at its field, and nothing beside it: no need to say it twice.
  const isTold = first !== undefined && others.length === 0;
  return {
    fields,
    ...(first === undefined ? {} : { first }),
    ...(isTold ? {} : { rest: { ...problem, errors: others } }),
  };
}
