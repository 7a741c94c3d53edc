import type { Story } from "../../model/story.js";
import type { Sandbox } from "../../model/types.js";
import { Certificates } from "./certificates.js";
import { Connect } from "./connect.js";
import { Containers } from "./containers.js";
import { Happened } from "./happened.js";
import { Ports } from "./ports.js";
import { Remove } from "./remove.js";
import { Steps } from "./steps.js";
import { Time } from "./time.js";
import { UsagePanel } from "./usage.js";
import { useContainers } from "./use-containers.js";
import { Verify } from "./verify.js";

/** A sandbox that was made, running or stopped. */
export function Made(props: {
  sandbox: Sandbox;
  story: Story;
  now: number;
  onChanged: (sandbox: Sandbox) => void;
}) {
  const { sandbox, story, now, onChanged } = props;
  const isReady = sandbox.state === "ready";
  const containers = useContainers(sandbox.id, isReady);
  return (
    <div class="columns">
      <div class="side">
        <Time sandbox={sandbox} now={now} onChanged={onChanged} />
      </div>
      <div class="main">
        <Happened sandbox={sandbox} now={now} />
        {isReady && <Connect sandbox={sandbox} />}
        {isReady && <UsagePanel sandbox={sandbox} onChanged={onChanged} />}
        {containers && <Containers containers={containers} sandbox={sandbox} />}
        {isReady && <Verify sandbox={sandbox} />}
        {story.begun && <Steps story={story} isOpen={false} />}
        <Remove sandbox={sandbox} />
      </div>
      {isReady && (
        <div class="side">
          <Ports sandbox={sandbox} containers={containers} />
          <Certificates sandbox={sandbox} now={now} />
        </div>
      )}
    </div>
  );
}
