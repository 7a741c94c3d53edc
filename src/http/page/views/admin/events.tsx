import { useEffect, useState } from "preact/hooks";
import { AdminApi } from "../../model/admin-api.js";
import type { HostEvent } from "../../model/admin-types.js";
import { follow } from "../../model/follow.js";
import { formatWhen } from "../../model/format.js";
import { eventAbout, mergeEvents } from "../../model/host-events.js";
import { isPassing } from "../../model/problem.js";
import { sandboxPath } from "../../model/router.js";
import { usePage, useSignedIn } from "../../parts/context.js";
import { useNow, useVisible } from "../../parts/hooks.js";
import { Name, ProblemBox, Waiting } from "../../parts/ui.js";
import { useOptional } from "../sandbox/use-containers.js";
import { NotTold } from "./admin.js";

const shownCount = 200;
const pollMs = 30_000;

/** What happened on this host, newest first, as it happens. */
export function Events() {
  const { api } = useSignedIn();
  const now = useNow(30_000);
  const ask = (signal: AbortSignal) => new AdminApi(api).events(shownCount, signal);
  const { value, refusal, isMissing } = useOptional("events", ask, pollMs);
  const live = useLiveEvents(value !== undefined);
  if (isMissing) return <NotTold what="its events" />;
  if (!value) {
    return refusal ? <ProblemBox problem={refusal.problem} /> : <Waiting what="Reading…" />;
  }
  const events = mergeEvents(value, live, shownCount);
  if (events.length === 0) return <p class="empty">Nothing has happened yet.</p>;
  return (
    <ol class="panel log">
      {events.map((event) => (
        <li key={JSON.stringify(event)}>
          <time dateTime={event.at}>{formatWhen(event.at, now)}</time>
          <span class="about">
            <a href={sandboxPath(event.sandbox)}>
              <Name>{eventAbout(event)}</Name>
            </a>
          </span>
          <span>{event.text}</span>
        </li>
      ))}
    </ol>
  );
}

/** Those told since the page was opened. */
function useLiveEvents(isWanted: boolean): HostEvent[] {
  const { connection } = usePage();
  const { api, expired } = useSignedIn();
  const visible = useVisible();
  const [events, setEvents] = useState<HostEvent[]>([]);
  useEffect(() => {
    if (!isWanted || !visible || expired) return;
    const abort = new AbortController();
    follow({
      open: (signal) => new AdminApi(api).eventStream(signal),
      take: ({ data }) => {
        const event = JSON.parse(data) as HostEvent;
        setEvents((before) => mergeEvents(before, [event], shownCount));
        return false;
      },
      isFinal: (error) => !isPassing(error),
      onConnected: (connected) => {
        connection.set("live events", connected);
      },
      signal: abort.signal,
    }).catch(() => {
      // No such stream: the list is asked for again anyway.
      connection.forget("live events");
    });
    return () => {
      abort.abort();
      connection.forget("live events");
    };
  }, [api, isWanted, visible, expired, connection]);
  return events;
}
