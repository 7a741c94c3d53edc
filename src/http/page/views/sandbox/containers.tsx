import { portUrl } from "../../model/connect.js";
import { hostPortsOf } from "../../model/ports.js";
import type { Container, Sandbox } from "../../model/types.js";
import { Name, Panel } from "../../parts/ui.js";

/** What runs inside. */
export function Containers(props: { containers: Container[]; sandbox: Sandbox }) {
  const { containers, sandbox } = props;
  return (
    <Panel title="Containers inside" id="containers">
      {containers.length === 0 && (
        <p class="muted">None. Those that you start with docker run appear here.</p>
      )}
      <ul class="rows">
        {containers.map((container) => (
          <li key={container.name}>
            <strong>
              <Name>{container.name}</Name>
            </strong>
            <span class="muted">
              <Name>{container.image}</Name>
            </span>
            <span>
              {container.state}
              {hostPortsOf(container).map((port) => (
                <a
                  key={port}
                  href={portUrl(sandbox.dockerHost, port)}
                  target="_blank"
                  rel="noreferrer"
                >
                  {port}
                  <span class="unseen"> (opens a new tab)</span>
                </a>
              ))}
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
