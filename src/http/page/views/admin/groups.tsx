import type { Group } from "../../model/admin-types.js";
import { durationForInput, formatSize } from "../../model/format.js";
import { Name, Panel } from "../../parts/ui.js";

/** Groups and what they allow; they are set up in the configuration. */
export function Groups({ groups }: { groups: Group[] }) {
  return (
    <Panel title="Groups" id="groups">
      <ul class="rows">
        {groups.map((group) => (
          <li key={group.name}>
            <strong>
              <Name>{group.name}</Name>
            </strong>
            <span>{group.members === 1 ? "1 member" : `${group.members} members`}</span>
            <span class="muted small">{allowed(group).join(" · ") || "no limits of its own"}</span>
          </li>
        ))}
      </ul>
      <p class="hint">Groups are set up in the configuration, /etc/berth/berth.yaml.</p>
    </Panel>
  );
}

function allowed({ sandboxesPerUser, maxTtlMs, maxLimits, profiles }: Group): string[] {
  const { memoryBytes, cpus, pids, diskBytes } = maxLimits;
  return [
    sandboxesPerUser !== undefined &&
      `${sandboxesPerUser} ${sandboxesPerUser === 1 ? "sandbox" : "sandboxes"} each`,
    maxTtlMs !== undefined && `up to ${durationForInput(maxTtlMs)}`,
    memoryBytes !== undefined && `${formatSize(memoryBytes)} memory`,
    cpus !== undefined && `${cpus} CPU`,
    diskBytes !== undefined && `${formatSize(diskBytes)} disk`,
    pids !== undefined && `${pids} processes`,
    profiles !== undefined && `profiles ${profiles.join(", ")}`,
  ].filter((part) => part !== false);
}
