import { hostOf, portUrl } from "../../model/connect.js";
import { portUses } from "../../model/ports.js";
import type { Container, Sandbox } from "../../model/types.js";
import { Name, Panel } from "../../parts/ui.js";

/** The ports that are reachable from outside, as links. */
export function Ports(props: { sandbox: Sandbox; containers: Container[] | undefined }) {
  const { dockerHost, ports } = props.sandbox;
  const uses = portUses(ports, props.containers);
  return (
    <Panel title="Published ports" id="ports">
      <ul class="ports">
        {uses.map(({ port, container }) => (
          <li key={port} class={container === undefined ? undefined : "used"}>
            <a href={portUrl(dockerHost, port)} target="_blank" rel="noreferrer">
              {port}
              <span class="unseen"> (opens a new tab)</span>
            </a>
            {container !== undefined && <Name>{container}</Name>}
          </li>
        ))}
      </ul>
      <p class="hint">
        A container started with <code>docker run -p {ports.from}:80 …</code> answers at{" "}
        <code>
          http://{hostOf(dockerHost)}:{ports.from}
        </code>
        . Other ports cannot be reached from outside.
      </p>
    </Panel>
  );
}
