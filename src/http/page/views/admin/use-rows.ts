import { useRef } from "preact/hooks";
import type { Row } from "../../model/admin-list.js";
import { coresBetween } from "../../model/format.js";
import { ApiError } from "../../model/problem.js";
import type { ListedSandbox } from "../../model/types.js";
import { useSignedIn } from "../../parts/context.js";
import { usePolled } from "../../parts/hooks.js";

const pollMs = 5000;

/** Every sandbox with what it uses; cores from this look and the one before. */
export function useRows() {
  const { api } = useSignedIn();
  const hasUsage = useRef(true);
  const before = useRef(new Map<string, { at: string; seconds: number }>());
  const ask = async (signal: AbortSignal): Promise<Row[]> => {
    const sandboxes = await list(signal);
    const readings = new Map(
      sandboxes.flatMap(({ id, usage }) =>
        usage ? [[id, { at: usage.at, seconds: usage.cpu.usedSeconds }] as const] : [],
      ),
    );
    const rows = sandboxes.map((sandbox) => {
      const then = before.current.get(sandbox.id);
      const now = readings.get(sandbox.id);
      return { sandbox, cores: then && now && coresBetween(then, now) };
    });
    before.current = readings;
    return rows;
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
