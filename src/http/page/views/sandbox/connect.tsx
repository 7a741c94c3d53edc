import { bundleName, waysToConnect, type Way } from "../../model/connect.js";
import { saveFile } from "../../model/copy.js";
import type { Sandbox } from "../../model/types.js";
import { usePage, useSignedIn } from "../../parts/context.js";
import { CopyButton } from "../../parts/copy-button.js";
import { useAction } from "../../parts/hooks.js";
import { Tabs } from "../../parts/tabs.js";
import { Button, Panel, ProblemBox } from "../../parts/ui.js";

/** The bundle, and what to type with it. */
export function Connect({ sandbox }: { sandbox: Sandbox }) {
  const download = useBundle(sandbox);
  const ways = waysToConnect(sandbox);
  const isWindows = navigator.userAgent.includes("Windows");
  return (
    <Panel title="Connect" id="connect">
      <ol class="numbered">
        <li>
          <p>
            Download the bundle. It holds your certificate, which is your key: keep it to yourself.
          </p>
          <Button kind="primary" busy={download.busy && "Downloading…"} onClick={download.run}>
            Download bundle (zip)
          </Button>
          <ProblemBox problem={download.problem} />
        </li>
        <li>
          <p>Paste these lines into a terminal, in the folder where the bundle was saved.</p>
          <Tabs
            id="ways"
            label="Ways to connect"
            first={isWindows ? "powershell" : "context"}
            tabs={ways.map((way) => ({
              key: way.key,
              title: way.title,
              content: <Lines way={way} />,
            }))}
          />
        </li>
      </ol>
      <p class="address">
        <span class="muted">Docker address</span> <code>{sandbox.dockerHost}</code>
        <CopyButton text={sandbox.dockerHost} what="the Docker address" />
      </p>
    </Panel>
  );
}

const Lines = ({ way }: { way: Way }) => (
  <>
    <div class="lines">
      <pre tabIndex={0}>{way.lines.map((line) => `${line}\n`).join("")}</pre>
      <CopyButton text={`${way.lines.join("\n")}\n`} what={`the lines for ${way.title}`} />
    </div>
    {way.note && <p class="hint">{way.note}</p>}
  </>
);

/** Fetches a fresh bundle, with a certificate of its own, and saves it. */
export function useBundle(sandbox: Sandbox, onSaved: () => void = () => undefined) {
  const { api } = useSignedIn();
  const { announce } = usePage();
  return useAction(async () => {
    saveFile(await api.bundle(sandbox.id), `${bundleName(sandbox)}.zip`);
    announce("Bundle downloaded.");
    onSaved();
  });
}
