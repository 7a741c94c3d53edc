import { Semaphore } from "async-mutex";

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
  const results = await Promise.allSettled(
    items.map((item) => slots.runExclusive(() => act(item))),
  );
  const failed = results.find((result) => result.status === "rejected");
  if (failed) throw failed.reason;
  return results.flatMap((result) => (result.status === "fulfilled" ? result.value : []));
}
