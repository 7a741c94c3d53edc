import { AdminApi } from "../../model/admin-api.js";
import type { Host } from "../../model/admin-types.js";
import { formatCores, formatSize } from "../../model/format.js";
import { useSignedIn } from "../../parts/context.js";
import { Panel, ProblemBox, Waiting } from "../../parts/ui.js";
import { useOptional } from "../sandbox/use-containers.js";
import { NotTold } from "./admin.js";

/** What the host has, what is used of it, and what is promised to sandboxes. */
export function HostPage() {
  const { api } = useSignedIn();
  const ask = (signal: AbortSignal) => new AdminApi(api).host(signal);
  const { value: host, refusal, isMissing } = useOptional("host", ask, 5000);
  if (isMissing) return <NotTold what="of its host" />;
  if (!host) {
    return refusal ? <ProblemBox problem={refusal.problem} /> : <Waiting what="Asking the host…" />;
  }
  return (
    <Panel title="Used and promised" id="stocks">
      <p class="hint">
        Promised is the sum of the sandboxes’ limits: what they may use, should all of them want it
        at once. It may exceed what there is.
      </p>
      <div class="stocks">
        {stocksOf(host).map((stock) => (
          <StockBar key={stock.label} {...stock} />
        ))}
      </div>
      <p class="muted">
        {host.sandboxes} sandboxes · {host.users} users · Berth {host.version}
      </p>
    </Panel>
  );
}

interface Stock {
  label: string;
  total: number;
  used: number;
  promised: number;
  write: (value: number) => string;
}

const stocksOf = ({ memory, cpu, disk }: Host): Stock[] => [
  {
    label: "Memory",
    total: memory.totalBytes,
    used: memory.usedBytes,
    promised: memory.promisedBytes,
    write: formatSize,
  },
  {
    label: "Processors",
    total: cpu.cores,
    used: cpu.usedCores,
    promised: cpu.promisedCores,
    write: formatCores,
  },
  {
    label: "Disk",
    total: disk.totalBytes,
    used: disk.usedBytes,
    promised: disk.promisedBytes,
    write: formatSize,
  },
];

/** Two bars on one scale, and where the host's own end is. */
function StockBar({ label, total, used, promised, write }: Stock) {
  const scale = Math.max(total, promised, used, 1);
  const x = (value: number) => Math.round((value / scale) * 1000) / 10;
  const isOver = promised > total;
  const text = `${label}: ${write(used)} used and ${write(promised)} promised of ${write(total)}`;
  return (
    <div class="stock">
      <h3>{label}</h3>
      <dl>
        <div class="used">
          <dt>used</dt>
          <dd>{write(used)}</dd>
        </div>
        <div class={isOver ? "promised over" : "promised"}>
          <dt>promised</dt>
          <dd>{write(promised)}</dd>
        </div>
        <div>
          <dt>there is</dt>
          <dd>{write(total)}</dd>
        </div>
      </dl>
      <svg viewBox="0 0 100 12" preserveAspectRatio="none" role="img" aria-label={text}>
        <rect class="track" width={x(total)} height="12" />
        <rect class="promised-bar" y="7" width={x(promised)} height="5" />
        <rect class="fill" width={x(used)} height="6" />
        <path class="end" d={`M${x(total)} 0V12`} />
      </svg>
      {isOver && (
        <p class="hint">{Math.round((promised / Math.max(total, 1)) * 100)} % of what there is.</p>
      )}
    </div>
  );
}
