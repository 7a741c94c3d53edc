import { useState } from "preact/hooks";
import { whereKnown } from "../../model/problem.js";
import type { Container } from "../../model/types.js";
import { useSignedIn } from "../../parts/context.js";
import { usePolled, type Polled } from "../../parts/hooks.js";

/** Asks like usePolled, until the server turns out not to have the route. */
export function useOptional<T>(
  name: string,
  ask: (signal: AbortSignal) => Promise<T>,
  everyMs: number,
  isWanted = true,
): Polled<T> & { isMissing: boolean } {
  const [isMissing, setMissing] = useState(false);
  const asked = async (signal: AbortSignal): Promise<T> => {
    const value = await whereKnown(ask(signal));
    if (value === undefined) setMissing(true);
    return value as T;
  };
  return { ...usePolled(name, asked, everyMs, isWanted && !isMissing), isMissing };
}

/** What runs inside; undefined while it is not known. */
export function useContainers(id: string, isWanted: boolean): Container[] | undefined {
  const { api } = useSignedIn();
  const ask = (signal: AbortSignal) => api.containers(id, signal);
  return useOptional(`containers of ${id}`, ask, 5000, isWanted).value;
}
