import { useState } from "preact/hooks";
import type { Sandbox, Verification } from "../../model/types.js";
import { usePage, useSignedIn } from "../../parts/context.js";
import { useAction } from "../../parts/hooks.js";
import { Button, Panel, ProblemBox } from "../../parts/ui.js";

/** A look at how the sandbox is held, when its user wants one. */
export function Verify({ sandbox }: { sandbox: Sandbox }) {
  const { api } = useSignedIn();
  const { announce } = usePage();
  const [found, setFound] = useState<Verification>();
  const verify = useAction(async () => {
    const verification = await api.verify(sandbox.id);
    setFound(verification);
    announce(verification.ok ? "The sandbox is held safely." : "A check has failed.");
  });
  return (
    <Panel title="Safety check" id="verify">
      <p class="hint">
        Looks at how the sandbox is walled off, from the server and from inside. It takes some
        seconds.
      </p>
      <Button busy={verify.busy && "Looking…"} onClick={verify.run}>
        Check now
      </Button>
      <ProblemBox problem={verify.problem} />
      {found && (
        <>
          <p class={found.ok ? "good" : "bad"}>
            {found.ok ? "All checks are passed." : "Not all checks are passed."}
          </p>
          <details class="more">
            <summary>{found.checks.length} checks</summary>
            <ul class="checks">
              {found.checks.map(({ name, seenFrom, ok, detail }) => (
                <li key={`${seenFrom} ${name}`} class={ok ? "ok" : "bad"}>
                  <strong>{name}</strong> ({ok ? "passed" : "failed"}, seen from {seenFrom}):{" "}
                  {detail}
                </li>
              ))}
            </ul>
          </details>
        </>
      )}
    </Panel>
  );
}
