import { useState } from "preact/hooks";
import { freeName } from "../model/format.js";
import { sandboxPath } from "../model/router.js";
import { loadCreations, saveCreation } from "../model/storage.js";
import type { Profile, Sandbox } from "../model/types.js";
import { usePage, useSignedIn } from "../parts/context.js";
import { useAction, usePolled } from "../parts/hooks.js";
import { Button, ProblemBox, Waiting } from "../parts/ui.js";
import { View } from "../parts/view.js";
import { Card, FailedCard } from "./card.js";

const pollMs = 5000;

/** The user's own sandboxes, and the one button for the usual case. */
export function Home() {
  const { api, me } = useSignedIn();
  // Admins are told of everybody's; these are under Admin.
  const user = me.role === "admin" ? me.user : undefined;
  const list = usePolled("my sandboxes", (signal) => api.list({ user }, signal), pollMs);
  const [failed, setFailed] = useState(() => loadCreations().filter(({ problem }) => problem));
  const sandboxes = [...(list.value ?? [])].sort((a, b) => b.createdAt.localeCompare(a.createdAt));
  const isEmpty = list.value?.length === 0 && failed.length === 0;
  const count = list.value && me.user !== undefined && (
    <span class="count">
      {sandboxes.length} of {me.sandboxesPerUser}
    </span>
  );
  return (
    <View title="My sandboxes" aside={count}>
      <Make sandboxes={list.value} isEmpty={isEmpty} />
      <ProblemBox problem={list.refusal?.problem} />
      {!list.value && !list.refusal && <Waiting what="Looking for your sandboxes…" />}
      <div class="cards">
        {failed.map((creation) => (
          <FailedCard
            key={creation.sandbox.id}
            creation={creation}
            onDismissed={() => {
              setFailed(loadCreations().filter(({ problem }) => problem));
            }}
          />
        ))}
        {sandboxes.map((sandbox) => (
          <Card key={sandbox.id} sandbox={sandbox} />
        ))}
      </div>
    </View>
  );
}

function Make({ sandboxes, isEmpty }: { sandboxes: Sandbox[] | undefined; isEmpty: boolean }) {
  const { api, me } = useSignedIn();
  const { router, announce } = usePage();
  const make = useAction(async () => {
    const taken = (sandboxes ?? []).filter(({ user }) => user === me.user).map(({ name }) => name);
    const sandbox = await api.create({ name: freeName(taken) });
    saveCreation({ sandbox });
    announce(`${sandbox.name} is being made.`);
    router.go(sandboxPath(sandbox.id));
  });
  const isFull = me.user !== undefined && (sandboxes?.length ?? 0) >= me.sandboxesPerUser;
  const usual = me.profiles[0];
  return (
    <div class={isEmpty ? "make first" : "make"}>
      {isEmpty && (
        <p class="lead">
          <strong>No sandbox yet.</strong> A sandbox is a Docker Engine of your own. You use it with
          the <code>docker</code> command on your computer, and it takes about a second to make.
        </p>
      )}
      {isFull ? (
        <p class="callout">
          You have as many sandboxes as you may have ({me.sandboxesPerUser}). Remove one to make
          another.
        </p>
      ) : (
        <div class="actions">
          <Button kind="primary" class="big" busy={make.busy && "Asking…"} onClick={make.run}>
            Make a sandbox
          </Button>
          <a class="button big quiet" href="/new">
            Choose settings first
          </a>
        </div>
      )}
      {!isFull && usual?.isolation === "privileged" && <PrivilegedNote what="A sandbox" />}
      {!isFull && usual?.ready === false && <NotReadyNote profile={usual} />}
      <ProblemBox problem={make.problem} />
    </div>
  );
}

/** Says it plainly, wherever a privileged sandbox can be asked for. */
export const PrivilegedNote = ({ what }: { what: string }) => (
  <p class="callout warn">
    {what} of this kind is <strong>privileged</strong>: whoever uses it can become root on the
    server itself. It is for trusted users only.
  </p>
);

/** What cannot be had now, and what to do: said before somebody tries. */
export const NotReadyNote = ({ profile: { name } }: { profile: Profile }) => (
  <p class="callout warn">
    The images of the profile <strong>{name}</strong> are not built yet, so a sandbox of it cannot
    be made now. Choose another one, or ask who runs this server:{" "}
    <code>berth image build {name}</code> builds them.
  </p>
);
