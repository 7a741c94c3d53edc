import { useState } from "preact/hooks";
import { ApiError } from "../../model/problem.js";
import { forgetCreation } from "../../model/storage.js";
import type { Sandbox } from "../../model/types.js";
import { usePage, useSignedIn } from "../../parts/context.js";
import { Confirm } from "../../parts/dialog.js";
import { useAction } from "../../parts/hooks.js";
import { Button, Name, ProblemBox } from "../../parts/ui.js";

/** Removes a sandbox, once its user has said yes twice. */
export function Remove({ sandbox }: { sandbox: Sandbox }) {
  const { api } = useSignedIn();
  const { router, announce } = usePage();
  const [isAsking, setAsking] = useState(false);
  const remove = useAction(async () => {
    // First: a creation that is broken off by its user is no failure to tell of.
    forgetCreation(sandbox.id);
    await removeQuietly(() => api.remove(sandbox.id));
    announce(`${sandbox.name} is removed.`);
    router.go("/");
  });
  return (
    <div class="remove">
      <Button
        kind="danger"
        busy={remove.busy && "Removing…"}
        onClick={() => {
          setAsking(true);
        }}
      >
        Remove this sandbox
      </Button>
      <ProblemBox problem={remove.problem} />
      {isAsking && (
        <ConfirmRemove
          sandbox={sandbox}
          onAnswer={(yes) => {
            setAsking(false);
            if (yes) remove.run();
          }}
        />
      )}
    </div>
  );
}

export function ConfirmRemove(props: { sandbox: Sandbox; onAnswer: (yes: boolean) => void }) {
  const { sandbox, onAnswer } = props;
  return (
    <Confirm
      title="Remove this sandbox?"
      yes="Remove"
      onYes={() => {
        onAnswer(true);
      }}
      onNo={() => {
        onAnswer(false);
      }}
    >
      “<Name>{sandbox.name}</Name>” and everything in it (containers, images, volumes) will be gone
      for good.
    </Confirm>
  );
}

/** Gone already is as good as removed. */
export async function removeQuietly(remove: () => Promise<void>): Promise<void> {
  try {
    await remove();
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
  }
}
