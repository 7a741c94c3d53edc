import { formatSize, urgency } from "../model/format.js";
import { sandboxPath } from "../model/router.js";
import { forgetCreation, type Creation } from "../model/storage.js";
import type { Sandbox } from "../model/types.js";
import { usePage, useSignedIn } from "../parts/context.js";
import { useNow } from "../parts/hooks.js";
import { useSoonWarning } from "../parts/soon.js";
import { Clock, Tide } from "../parts/tide.js";
import { Button, Name, ProblemBox, StateBadge } from "../parts/ui.js";

/** How it is called: `NAME`, or `USER/NAME` when it is somebody else's. */
export const labelOf = ({ user, name }: Sandbox, me: string | undefined) =>
  user === me ? name : `${user}/${name}`;

/** One sandbox in the list: enough to know whether all is well; the rest is a click away. */
export function Card({ sandbox }: { sandbox: Sandbox }) {
  const { me } = useSignedIn();
  const now = useNow();
  const label = labelOf(sandbox, me.user);
  const { id, state, profile, limits, expiresAt, createdAt, incidents } = sandbox;
  useSoonWarning(label, expiresAt, now);
  const hasTime = state === "ready" || state === "stopped";
  const leftMs = Date.parse(expiresAt) - now;
  const latest = incidents.at(-1);
  return (
    <article class={`card ${state} ${urgency(leftMs)}`} aria-label={label}>
      {hasTime && <Tide leftMs={leftMs} wholeMs={Date.parse(expiresAt) - Date.parse(createdAt)} />}
      <div class="card-text">
        <h2>
          <a href={sandboxPath(id)}>
            <Name>{label}</Name>
          </a>{" "}
          <StateBadge state={state} />
        </h2>
        <p class="muted">
          {profile} · {formatSize(limits.memoryBytes)} memory · {limits.cpus} CPU ·{" "}
          {formatSize(limits.diskBytes)} disk
        </p>
        {sandbox.reason && <p class="bad">{sandbox.reason}</p>}
        {latest && <p class="happened">{latest.text}</p>}
        {sandbox.warning && <p class="small warn-text">{sandbox.warning}</p>}
      </div>
      {hasTime && <Clock expiresAt={expiresAt} now={now} />}
    </article>
  );
}

/** A creation that came to nothing: the server has forgotten it, its user may want to know why. */
export function FailedCard(props: { creation: Creation; onDismissed: () => void }) {
  const { sandbox, problem } = props.creation;
  const { announce } = usePage();
  return (
    <article class="card failed" aria-label={sandbox.name}>
      <div class="card-text">
        <h2>
          <a href={sandboxPath(sandbox.id)}>
            <Name>{sandbox.name}</Name>
          </a>{" "}
          <StateBadge state="failed" />
        </h2>
        <ProblemBox problem={problem} />
      </div>
      <Button
        onClick={() => {
          forgetCreation(sandbox.id);
          announce("Dismissed.");
          props.onDismissed();
        }}
      >
        Dismiss
      </Button>
    </article>
  );
}
