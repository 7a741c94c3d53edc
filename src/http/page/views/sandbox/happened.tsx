import { useEffect, useRef } from "preact/hooks";
import { formatWhen } from "../../model/format.js";
import { freshIncidents, incidentLines } from "../../model/incidents.js";
import type { Incident, Sandbox } from "../../model/types.js";
import { usePage, useSignedIn } from "../../parts/context.js";
import { Panel } from "../../parts/ui.js";
import { labelOf } from "../card.js";

/** What limits did to the sandbox, newest first; says new ones to screen readers. */
export function Happened({ sandbox, now }: { sandbox: Sandbox; now: number }) {
  const { me } = useSignedIn();
  const { announce } = usePage();
  const { incidents } = sandbox;
  // undefined until the first list: what happened before the page was opened is not announced.
  const seen = useRef<Incident[]>(undefined);
  useEffect(() => {
    const fresh = seen.current === undefined ? [] : freshIncidents(seen.current, incidents);
    for (const { text } of fresh) announce(`${labelOf(sandbox, me.user)}: ${text}`);
    seen.current = incidents;
  }, [incidents]);
  if (incidents.length === 0) return null;
  return (
    <Panel title="What happened" id="happened">
      <ul class="incidents">
        {incidentLines(incidents).map(({ at, text }) => (
          <li key={`${at} ${text}`}>
            <time dateTime={at}>{formatWhen(at, now)}</time> {text}
          </li>
        ))}
      </ul>
    </Panel>
  );
}
