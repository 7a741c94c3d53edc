import { useEffect, useState } from "preact/hooks";
import { formatLeft, formatMs, urgency } from "../../model/format.js";
import { creationOf, forgetCreation, saveCreation } from "../../model/storage.js";
import type { Story } from "../../model/story.js";
import type { Problem, Sandbox } from "../../model/types.js";
import { usePage, useSignedIn } from "../../parts/context.js";
import { useNow, usePolled } from "../../parts/hooks.js";
import { useSoonWarning } from "../../parts/soon.js";
import { Button, Name, ProblemBox, StateBadge, Waiting } from "../../parts/ui.js";
import { useStory } from "../../parts/use-story.js";
import { View } from "../../parts/view.js";
import { labelOf } from "../card.js";
import { Made } from "./made.js";
import { Remove } from "./remove.js";
import { Steps } from "./steps.js";

const pollMs = 5000;

/** Everything of one sandbox, from the first step of its creation to its end. */
export function SandboxView({ id }: { id: string }) {
  const { api } = useSignedIn();
  const [saved] = useState(() => creationOf(id));
  const [gone, setGone] = useState(false);
  const polled = usePolled(`sandbox ${id}`, (signal) => api.get(id, signal), pollMs, !gone);
  const { story, isUnknown } = useStory(id, polled.refresh);
  const isRefused = polled.refusal?.status === 404 || polled.refusal?.status === 403;
  useEffect(() => {
    if (isRefused) setGone(true);
  }, [isRefused]);
  const sandbox = polled.value ?? saved?.sandbox;
  const failure = failureOf(story) ?? saved?.problem ?? lostCreation(sandbox, gone && isUnknown);
  useKeptCreation(sandbox, story, failure);

  if (failure) return <Failed sandbox={sandbox} id={id} story={story} problem={failure} />;
  if (story.last?.state === "removed") return <Gone reason={story.last.reason} />;
  if (gone && isUnknown) return polled.value ? <Gone reason={undefined} /> : <NotFound />;
  if (!sandbox) return <Unknown problem={polled.refusal?.problem} />;
  return <Known sandbox={sandbox} story={story} onChanged={polled.set} />;
}

function Known(props: { sandbox: Sandbox; story: Story; onChanged: (sandbox: Sandbox) => void }) {
  const { sandbox, story, onChanged } = props;
  const { me } = useSignedIn();
  const now = useNow();
  const label = labelOf(sandbox, me.user);
  const leftMs = Date.parse(sandbox.expiresAt) - now;
  const hasTime = sandbox.state === "ready" || sandbox.state === "stopped";
  useSoonWarning(label, hasTime ? sandbox.expiresAt : "", now);
  useReadyWord(label, sandbox.state);
  const isSoon = hasTime && urgency(leftMs) !== "calm";
  const madeMs = story.end?.state === "ready" ? story.end.ms : undefined;
  return (
    <View
      title={isSoon ? `${formatLeft(leftMs)}: ${label}` : label}
      heading={<Name>{label}</Name>}
      aside={<StateBadge state={sandbox.state} />}
    >
      <p class="muted about">
        {sandbox.profile} · {sandbox.id}
        {madeMs !== undefined && <> · made in {formatMs(madeMs)}</>}
      </p>
      {sandbox.warning && <p class="callout warn">{sandbox.warning}</p>}
      <ProblemBox problem={reasonOf(sandbox)} />
      {sandbox.state === "creating" && <Steps story={story} isOpen />}
      {sandbox.state === "removing" && <p class="callout">It is being removed.</p>}
      {hasTime && <Made sandbox={sandbox} story={story} now={now} onChanged={onChanged} />}
      {(sandbox.state === "failed" || sandbox.state === "creating") && <Remove sandbox={sandbox} />}
    </View>
  );
}

/** Tells once when a creation that was watched has come to its end. */
function useReadyWord(label: string, state: Sandbox["state"]): void {
  const { announce } = usePage();
  const [seen, setSeen] = useState(state);
  useEffect(() => {
    if (seen === "creating" && state === "ready") announce(`${label} is ready.`);
    setSeen(state);
  }, [state]);
}

/** A creation is kept in the tab until it is ready: the server forgets one that failed. */
function useKeptCreation(
  sandbox: Sandbox | undefined,
  story: Story,
  problem: Problem | undefined,
): void {
  const isMade = story.end?.state === "ready";
  useEffect(() => {
    if (!sandbox) return;
    if (problem && creationOf(sandbox.id)) saveCreation({ sandbox, problem });
    if (isMade) forgetCreation(sandbox.id);
  }, [problem?.detail, isMade]);
}

function Failed(props: {
  id: string;
  sandbox: Sandbox | undefined;
  story: Story;
  problem: Problem;
}) {
  const { router, announce } = usePage();
  const { me } = useSignedIn();
  const label = props.sandbox ? labelOf(props.sandbox, me.user) : props.id;
  return (
    <View title={label} heading={<Name>{label}</Name>} aside={<StateBadge state="failed" />}>
      <ProblemBox problem={props.problem} />
      {props.story.begun && <Steps story={props.story} isOpen />}
      <div class="actions">
        <Button
          kind="primary"
          onClick={() => {
            forgetCreation(props.id);
            announce("Dismissed.");
            router.go("/");
          }}
        >
          Dismiss
        </Button>
      </div>
    </View>
  );
}

const Gone = ({ reason }: { reason: string | undefined }) => (
  <View title="This sandbox is gone">
    <p>
      {reason ?? "It was removed, or its time was up."} <a href="/">Go to my sandboxes</a>
    </p>
  </View>
);

const NotFound = () => (
  <View title="No such sandbox">
    <p>
      There is no sandbox at this address, or it is not yours. <a href="/">Go to my sandboxes</a>
    </p>
  </View>
);

const Unknown = ({ problem }: { problem: Problem | undefined }) => (
  <View title="Sandbox">
    <ProblemBox problem={problem} />
    {!problem && <Waiting what="Looking for the sandbox…" />}
  </View>
);

function failureOf({ last, end, begun }: Story): Problem | undefined {
  const failed = last?.state === "failed" && last.problem ? last : undefined;
  if (failed?.problem) return { title: "It was not made", ...failed.problem };
  // Broken off before it was ready.
  const isBrokenOff = begun && last?.state === "removed" && end === last;
  return isBrokenOff
    ? { title: "It was not made", detail: last.reason ?? "It was broken off.", code: "" }
    : undefined;
}

/** The server knows nothing of a creation that this tab asked for: it went away in between. */
function lostCreation(sandbox: Sandbox | undefined, isLost: boolean): Problem | undefined {
  if (!isLost || sandbox?.state !== "creating") return undefined;
  return {
    title: "It was not made",
    detail:
      "Berth no longer knows this sandbox. Try again; if it happens twice, ask who runs this server.",
    code: "",
  };
}

function reasonOf({ state, reason }: Sandbox): Problem | undefined {
  if (state !== "stopped" && state !== "failed") return undefined;
  const title = state === "stopped" ? "It has stopped" : "It does not work";
  return { title, detail: reason ?? "No reason is known.", code: "" };
}
