import { Semaphore } from "async-mutex";
import { allSettled } from "./all-settled.js";

/**
 * Does something for each item, at most `limit` at once; the results in the items' order, flattened.
 * When one fails, the others still end before the failure is passed on.
 */
export async function forEachAtOnce<T, R>(
  items: readonly T[],
  limit: number,
  act: (item: T) => Promise<R[]>,
): Promise<R[]> {
  const slots = new Semaphore(limit);
  const results = await allSettled<R[][]>(items.map((item) => slots.runExclusive(() => act(item))));
  return results.flat();
}
