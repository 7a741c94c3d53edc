/**
 * Like Promise.all, but waits for every act to end before it fails with the first failure: whoever
 * then unwinds does not race with one that is still making something.
 */
export async function allSettled<T extends unknown[]>(acts: {
  [K in keyof T]: Promise<T[K]>;
}): Promise<T> {
  const results: PromiseSettledResult<unknown>[] = await Promise.allSettled(acts);
  for (const result of results) {
    if (result.status === "rejected") throw result.reason;
  }
  return Promise.all(acts);
}
