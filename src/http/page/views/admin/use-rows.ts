import { useRef } from "preact/hooks";
import type { Row } from "../../model/admin-list.js";
import { coresBetween } from "../../model/format.js";
import { ApiError } from "../../model/problem.js";
import type { ListedSandbox, Usage } from "../../model/types.js";
import { useSignedIn } from "../../parts/context.js";
import { usePolled } from "../../parts/hooks.js";

const pollMs = 5000;

interface Reading {
  at: string;
  seconds: number;
  cores: number | undefined;
}

/** The server may not have looked again since the last time: then the cores of before still hold. */
function readingOf({ at, cpu }: Usage, before: Reading | undefined): Reading {
  if (before?.at === at) return before;
  const now = { at, seconds: cpu.usedSeconds };
  return { ...now, cores: before && coresBetween(before, now) };
}

/** Every sandbox with what it uses; cores from this look and the one before. */
export function useRows() {
  const { api } = useSignedIn();
  const hasUsage = useRef(true);
  const before = useRef(new Map<string, Reading>());
  const ask = async (signal: AbortSignal): Promise<Row[]> => {
    const sandboxes = await list(signal);
    const readings = new Map<string, Reading>();
    for (const { id, usage } of sandboxes) {
      if (usage) readings.set(id, readingOf(usage, before.current.get(id)));
    }
    before.current = readings;
    return sandboxes.map((sandbox) => ({ sandbox, cores: readings.get(sandbox.id)?.cores }));
  };
  const list = async (signal: AbortSignal): Promise<ListedSandbox[]> => {
    if (!hasUsage.current) return api.list({}, signal);
    try {
      return await api.list({ usage: true }, signal);
    } catch (error) {
      // An older Berth knows no such question.
      if (!(error instanceof ApiError) || error.status !== 400) throw error;
      hasUsage.current = false;
      return api.list({}, signal);
    }
  };
  return usePolled("all sandboxes", ask, pollMs);
}
