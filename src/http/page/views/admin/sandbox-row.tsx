import { formatCores, formatLeft, formatSize, fraction, urgency } from "../../model/format.js";
import { sandboxPath } from "../../model/router.js";
import type { ListedSandbox, Sandbox } from "../../model/types.js";
import { Name, StateBadge } from "../../parts/ui.js";

/** One row of the admins' list; a narrow window shows it as a card, with its headings before its values. */
export function SandboxRow(props: {
  sandbox: ListedSandbox;
  cores: number | undefined;
  now: number;
  onExtend: (sandbox: Sandbox) => void;
  onRemove: (sandbox: Sandbox) => void;
}) {
  const { sandbox, cores, now } = props;
  const { id, user, name, state, usage, limits, expiresAt } = sandbox;
  const leftMs = Date.parse(expiresAt) - now;
  const label = `${user}/${name}`;
  return (
    <tr>
      <th scope="row">
        <a href={sandboxPath(id)}>
          <Name>{label}</Name>
        </a>
        <span class="muted small">
          {sandbox.profile}
          {sandbox.isolation === "privileged" && <strong class="warn-text"> privileged</strong>}
        </span>
      </th>
      <td data-label="State">
        <StateBadge state={state} />
      </td>
      <td data-label="Time left" class={urgency(leftMs)}>
        {formatLeft(leftMs)}
      </td>
      <Amount
        label="Memory"
        used={usage?.memory.usedBytes}
        limit={limits.memoryBytes}
        write={formatSize}
      />
      <Amount label="Processors" used={cores} limit={limits.cpus} write={formatCores} />
      <Amount
        label="Disk"
        used={usage?.disk.usedBytes}
        limit={limits.diskBytes}
        write={formatSize}
      />
      <td class="row-actions">
        {(state === "ready" || state === "stopped") && (
          <button
            type="button"
            class="button small"
            onClick={() => {
              props.onExtend(sandbox);
            }}
          >
            +2 h<span class="unseen"> more for {label}</span>
          </button>
        )}
        {state !== "removing" && (
          <button
            type="button"
            class="button small danger"
            onClick={() => {
              props.onRemove(sandbox);
            }}
          >
            Remove<span class="unseen"> {label}</span>
          </button>
        )}
      </td>
    </tr>
  );
}

function Amount(props: {
  label: string;
  used: number | undefined;
  limit: number;
  write: (value: number) => string;
}) {
  const { label, used, limit, write } = props;
  const share = used === undefined ? 0 : fraction(used, limit);
  return (
    <td data-label={label} class={share >= 0.9 ? "amount full" : "amount"}>
      {used === undefined ? "" : `${write(used)} of `}
      <span class="muted">{write(limit)}</span>
      <svg class="bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
        <rect class="track" width="100" height="4" />
        <rect class="fill" width={Math.round(share * 100)} height="4" />
      </svg>
    </td>
  );
}
