import { useRef, useState } from "preact/hooks";
import { faultsOf } from "../../model/faults.js";
import { formatCores, formatSize, fraction } from "../../model/format.js";
import { highest, pointsOf } from "../../model/history.js";
import { forgetDraft } from "../../model/storage.js";
import type { ResizeRequest, Sandbox, Usage, UsageSample } from "../../model/types.js";
import { usePage, useSignedIn } from "../../parts/context.js";
import { Graph } from "../../parts/graph.js";
import { useAction, useDraft } from "../../parts/hooks.js";
import { Button, Panel, ProblemBox } from "../../parts/ui.js";
import { LimitFields, useFaultFocus } from "../new.js";
import { useUsage } from "./use-usage.js";

/** What the sandbox as a whole uses of its limits, now and over the last minutes; and other limits. */
export function UsagePanel(props: { sandbox: Sandbox; onChanged: (sandbox: Sandbox) => void }) {
  const { sandbox } = props;
  const { usage, samples } = useUsage(sandbox.id);
  return (
    <Panel title="In use" id="usage" aside={<span class="muted small">last 10 minutes</span>}>
      <div class="graphs">
        <Graphs sandbox={sandbox} usage={usage} samples={samples} />
      </div>
      {(usage?.cpu.throttledPercent ?? 0) >= 1 && (
        <p class="callout">
          In the last minute it had to wait for the processor{" "}
          {Math.round(usage?.cpu.throttledPercent ?? 0)} % of the time: its limit of{" "}
          {sandbox.limits.cpus} CPU was reached.
        </p>
      )}
      <Waits usage={usage} />
      <Resize {...props} />
    </Panel>
  );
}

/** Below this, percent of the last minute, nobody notices. */
const worthTelling = 5;

/** Of its limit: from here on waiting comes from the limit, and not from reading back what was not kept. */
const nearlyAll = 0.9;

/** What slowed it in the last minute beside its CPU limit; only hosts with cgroup v2 know. */
export function Waits({ usage }: { usage: Usage | undefined }) {
  const memory = Math.round(usage?.pressure?.memory.somePercent ?? 0);
  const isNearlyFull = usage && usage.memory.usedBytes >= nearlyAll * usage.memory.limitBytes;
  const disk = Math.round(usage?.pressure?.io.somePercent ?? 0);
  return (
    <>
      {memory >= worthTelling && (
        <p class="callout">
          In the last minute it had to wait for memory {memory} % of the time
          {isNearlyFull ? ": nearly all it may use is taken." : "."}
        </p>
      )}
      {disk >= worthTelling && (
        <p class="callout">In the last minute it had to wait for the disk {disk} % of the time.</p>
      )}
    </>
  );
}

function Graphs(props: { sandbox: Sandbox; usage: Usage | undefined; samples: UsageSample[] }) {
  const { usage, samples } = props;
  const { memoryBytes, cpus, pids, diskBytes } = props.sandbox.limits;
  const peak = (measure: Parameters<typeof highest>[1], write: (value: number) => string) => {
    const value = highest(samples, measure);
    return value === undefined ? "" : `At most ${write(value)} in the last minutes.`;
  };
  const cores = samples.at(-1)?.cpuCores;
  const disk = usage?.disk;
  // The file system keeps a part of the disk for itself: what can be filled is used and free.
  const room = disk ? disk.usedBytes + disk.freeBytes : diskBytes;
  return (
    <>
      <Graph
        label="Memory"
        value={ofLimit(usage && formatSize(usage.memory.usedBytes), formatSize(memoryBytes))}
        share={usage && fraction(usage.memory.usedBytes, memoryBytes)}
        points={pointsOf(samples, "memoryBytes", memoryBytes)}
        story={peak("memoryBytes", formatSize)}
      />
      <Graph
        label="Processors"
        value={ofLimit(cores === undefined ? undefined : formatCores(cores), String(cpus))}
        share={cores === undefined ? undefined : fraction(cores, cpus)}
        points={pointsOf(samples, "cpuCores", cpus)}
        story={peak("cpuCores", formatCores)}
      />
      <Graph
        label="Disk"
        value={ofLimit(disk && formatSize(disk.usedBytes), formatSize(diskBytes))}
        share={disk && fraction(disk.usedBytes, room)}
        points={pointsOf(samples, "diskBytes", room)}
        story={peak("diskBytes", formatSize)}
      />
      <Graph
        label="Processes"
        value={ofLimit(usage && String(usage.pids.used), String(pids))}
        share={usage && fraction(usage.pids.used, pids)}
        points={pointsOf(samples, "pids", pids)}
        story={peak("pids", String)}
      />
    </>
  );
}

const ofLimit = (used: string | undefined, limit: string) =>
  used === undefined ? `up to ${limit}` : `${used} of ${limit}`;

const limitNames = ["memory", "cpus", "disk", "pids"] as const;
const noLimits = { memory: "", cpus: "", disk: "", pids: "" };

function Resize(props: { sandbox: Sandbox; onChanged: (sandbox: Sandbox) => void }) {
  const { sandbox, onChanged } = props;
  const { api, me } = useSignedIn();
  const { announce } = usePage();
  const [draft, set, reset] = useDraft(`resize.${sandbox.id}`, noLimits);
  const [isOpen] = useState(() => Object.values(draft).some((value) => value !== ""));
  const resize = useAction(async () => {
    onChanged(await api.resize(sandbox.id, filled(draft)));
    reset(noLimits);
    forgetDraft(`resize.${sandbox.id}`);
    announce("The limits are changed.");
  });
  const { fields, first, rest } = faultsOf(resize.problem, limitNames);
  const form = useRef<HTMLFormElement>(null);
  useFaultFocus(form, resize.problem, first);
  const isEmpty = Object.keys(filled(draft)).length === 0;
  return (
    <details class="more" open={isOpen}>
      <summary>Change the limits</summary>
      <form
        ref={form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (!isEmpty) resize.run();
        }}
      >
        <p class="hint">
          While it runs. Fields left empty stay as they are; a disk can only become larger.
        </p>
        <LimitFields
          prefix="resize"
          values={draft}
          shown={sandbox.limits}
          max={me.maxLimits}
          faults={fields}
          onValue={set}
        />
        <ProblemBox problem={rest} />
        <Button submit busy={resize.busy && "Changing…"}>
          Change
        </Button>
      </form>
    </details>
  );
}

const filled = (draft: Record<(typeof limitNames)[number], string>): ResizeRequest =>
  Object.fromEntries(
    Object.entries(draft)
      .map(([name, value]) => [name, value.trim()])
      .filter(([, value]) => value !== ""),
  ) as ResizeRequest;
