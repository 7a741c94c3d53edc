import { useEffect, useRef, useState } from "preact/hooks";
import { whereKnown } from "../../model/problem.js";
import { mergeSamples, sampleOf } from "../../model/history.js";
import type { Usage, UsageSample } from "../../model/types.js";
import { useSignedIn } from "../../parts/context.js";
import { usePolled } from "../../parts/hooks.js";

const pollMs = 5000;

/** What a sandbox uses: now, and over the last minutes from the server's memory and our own. */
export function useUsage(id: string): { usage: Usage | undefined; samples: UsageSample[] } {
  const { api, expired } = useSignedIn();
  const [samples, setSamples] = useState<UsageSample[]>([]);
  const before = useRef<Usage>(undefined);
  const { value: usage } = usePolled(`usage of ${id}`, (signal) => api.usage(id, signal), pollMs);
  useEffect(() => {
    if (expired) return;
    const abort = new AbortController();
    // Not at hand: the graphs begin now.
    whereKnown(api.history(id, abort.signal))
      .then((history) => {
        if (history) setSamples((own) => mergeSamples(history.samples, own));
      })
      .catch(() => undefined);
    return () => {
      abort.abort();
    };
  }, [api, id, expired]);
  useEffect(() => {
    if (!usage) return;
    const sample = sampleOf(usage, before.current);
    before.current = usage;
    setSamples((own) => mergeSamples(own, [sample]));
  }, [usage]);
  return { usage, samples };
}
