import { useState } from "preact/hooks";
import { formatLeft, formatWhen, urgency } from "../../model/format.js";
import type { Sandbox } from "../../model/types.js";
import { usePage, useSignedIn } from "../../parts/context.js";
import { Select } from "../../parts/field.js";
import { useAction } from "../../parts/hooks.js";
import { Clock, Tide } from "../../parts/tide.js";
import { Button, Panel, ProblemBox } from "../../parts/ui.js";

const choices = [
  { value: "30m", text: "30 minutes", ms: 1_800_000 },
  { value: "1h", text: "1 hour", ms: 3_600_000 },
  { value: "2h", text: "2 hours", ms: 7_200_000 },
  { value: "4h", text: "4 hours", ms: 14_400_000 },
  { value: "8h", text: "8 hours", ms: 28_800_000 },
  { value: "24h", text: "1 day", ms: 86_400_000 },
];

/** How long it has, the warning before its end, and more time up to what is allowed. */
export function Time(props: {
  sandbox: Sandbox;
  now: number;
  onChanged: (sandbox: Sandbox) => void;
}) {
  const { sandbox, now } = props;
  const leftMs = Date.parse(sandbox.expiresAt) - now;
  const word = urgency(leftMs);
  return (
    <Panel title="Time" id="time">
      <div class="time">
        <Tide
          leftMs={leftMs}
          wholeMs={Date.parse(sandbox.expiresAt) - Date.parse(sandbox.createdAt)}
        />
        <Clock expiresAt={sandbox.expiresAt} now={now} />
      </div>
      {word !== "calm" && (
        <p class="callout warn">
          {word === "soon" ? "It ends soon. " : "It is about to be removed. "}
          Then everything in it is deleted: containers, images and volumes. Add time to keep it.
        </p>
      )}
      <Extend {...props} />
    </Panel>
  );
}

function Extend({ sandbox, now, onChanged }: Parameters<typeof Time>[0]) {
  const { api, me } = useSignedIn();
  const { announce } = usePage();
  const [ttl, setTtl] = useState("2h");
  const until = now + (sandbox.maxTtlMs ?? me.ttl.maxMs);
  const roomMs = until - Date.parse(sandbox.expiresAt);
  // Half a minute of grace: the ceiling moves on while one looks at it.
  const fitting = choices.filter(({ ms }) => ms <= roomMs + 30_000);
  const chosen = fitting.find(({ value }) => value === ttl) ?? fitting.at(-1);
  const extend = useAction(async () => {
    if (!chosen) return;
    onChanged(await api.extend(sandbox.id, chosen.value));
    announce(`${sandbox.name} has ${chosen.text} more.`);
  });
  if (!chosen) {
    return (
      <p class="hint">
        It has as much time as it may have, until {formatWhen(until, now)}. More can be added when
        some of it has gone by.
      </p>
    );
  }
  return (
    <div class="extend">
      <Select
        id="extend-by"
        label="More time"
        value={chosen.value}
        options={fitting}
        onValue={setTtl}
        hint={`Up to ${formatLeft(roomMs)} more, until ${formatWhen(until, now)} at the latest.`}
      />
      <Button kind="primary" busy={extend.busy && "Adding…"} onClick={extend.run}>
        Add {chosen.text}
      </Button>
      <ProblemBox problem={extend.problem} />
    </div>
  );
}
