import { formatLeft, formatWhen } from "../../model/format.js";
import type { Sandbox } from "../../model/types.js";
import { useSignedIn } from "../../parts/context.js";
import { Button, Panel, ProblemBox } from "../../parts/ui.js";
import { useBundle } from "./connect.js";
import { useOptional } from "./use-containers.js";

const pollMs = 60_000;

/** Until when the handed-out certificates work, and a new one. */
export function Certificates({ sandbox, now }: { sandbox: Sandbox; now: number }) {
  const { api } = useSignedIn();
  const ask = (signal: AbortSignal) => api.certificates(sandbox.id, signal);
  const list = useOptional(`certificates of ${sandbox.id}`, ask, pollMs);
  const renew = useBundle(sandbox, list.refresh);
  const valid = (list.value ?? [])
    .filter(({ expiresAt }) => Date.parse(expiresAt) > now)
    .sort((a, b) => b.expiresAt.localeCompare(a.expiresAt));
  const newest = valid[0];
  return (
    <Panel title="Certificate" id="certificate">
      {list.value && (
        <p>
          {newest ? (
            <>
              The newest works until <strong>{formatWhen(newest.expiresAt, now)}</strong> (
              {formatLeft(Date.parse(newest.expiresAt) - now)}).
              {valid.length > 1 && ` ${valid.length} are valid in all.`}
            </>
          ) : (
            "None is valid now: get one to connect."
          )}
        </p>
      )}
      <p class="hint">
        A certificate works for a day at most. When docker says “bad certificate” or “expired
        certificate”, get a new one: it comes as a new bundle.
      </p>
      <Button busy={renew.busy && "Making it…"} onClick={renew.run}>
        New certificate
      </Button>
      <ProblemBox problem={renew.problem} />
    </Panel>
  );
}
