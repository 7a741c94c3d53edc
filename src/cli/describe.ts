import { contextName } from "../lib/context-name.js";
import type { Incident, Sandbox, Usage } from "../lib/contract/sandbox.js";
import { formatDuration, formatSize, writeSize } from "../lib/units.js";

// Sandboxes in words. All pure; `now` is passed in.

/** The shortest SANDBOX that means this one. */
export function referenceOf({ user, name }: Pick<Sandbox, "user" | "name">): string {
  return name === "default" ? user : `${user}/${name}`;
}

export function titleOf({ user, name }: Pick<Sandbox, "user" | "name">): string {
  return `${user}/${name}`;
}

/** A directory or file of its own for each sandbox. */
export function fileNameOf({ user, name }: Pick<Sandbox, "user" | "name">): string {
  return `${user}-${name}`;
}

export function expiryOf(sandbox: Pick<Sandbox, "expiresAt">, now: Date): string {
  const ms = Date.parse(sandbox.expiresAt) - now.getTime();
  if (ms <= 0) return "expired";
  // To the minute: a moment after `--ttl 2h` it is still 2h, not 1h 59m.
  return formatDuration(ms < 60_000 ? ms : Math.round(ms / 60_000) * 60_000);
}

function momentOf(iso: string): string {
  return `${iso.slice(0, 16).replace("T", " ")} UTC`;
}

export function limitsOf({ memoryBytes, cpus, pids, diskBytes }: Sandbox["limits"]): string {
  const cores = `${cpus} ${cpus === 1 ? "cpu" : "cpus"}`;
  return `${formatSize(memoryBytes)} memory, ${cores}, ${pids} pids, ${formatSize(diskBytes)} disk`;
}

/** `memory 1G -> 2G, disk 10G -> 20G`: sizes as they are typed, for rounded ones may look alike. */
export function changesOf(before: Sandbox["limits"], after: Sandbox["limits"]): string {
  const changes: [name: string, from: string, to: string][] = [
    ["memory", writeSize(before.memoryBytes), writeSize(after.memoryBytes)],
    ["cpus", String(before.cpus), String(after.cpus)],
    ["pids", String(before.pids), String(after.pids)],
    ["disk", writeSize(before.diskBytes), writeSize(after.diskBytes)],
  ];
  const made = changes.filter(([, from, to]) => from !== to);
  if (made.length === 0) return `unchanged, ${limitsOf(after)}`;
  return made.map(([name, from, to]) => `${name} ${from} -> ${to}`).join(", ");
}

export function portsOf({ ports }: Pick<Sandbox, "ports">): string {
  return ports.from === ports.to ? String(ports.from) : `${ports.from}-${ports.to}`;
}

/** What a person wants to know of a sandbox, as label and value. */
export function detailsOf(sandbox: Sandbox, now: Date): [string, string][] {
  const expiry = expiryOf(sandbox, now);
  return [
    ["id", sandbox.id],
    ["docker host", sandbox.dockerHost],
    ["expires", expiry === "expired" ? expiry : `in ${expiry}, at ${momentOf(sandbox.expiresAt)}`],
    ["limits", limitsOf(sandbox.limits)],
    ["ports", `${portsOf(sandbox)}, as in: docker run -p ${sandbox.ports.from}:80 ...`],
    ["profile", `${sandbox.profile} (isolation ${sandbox.isolation})`],
  ];
}

export function usageDetails({ memory, cpu, pids, disk, pressure }: Usage): [string, string][] {
  const of = (used: number, limit: number, room = limit) =>
    `${formatSize(used)} of ${formatSize(limit)} (${percent(used, room)})`;
  const waited = cpu.throttledPercent;
  const waiting = waited > 0 ? `, waited for its limit ${waited} % of the last minute` : "";
  return [
    ["memory used", of(memory.usedBytes, memory.limitBytes)],
    ["cpu used", `${Number(cpu.usedSeconds.toFixed(1))} s since the start${waiting}`],
    ["pids used", `${pids.used} of ${pids.limit}`],
    // The file system keeps a part of the disk for itself: what can be filled is used and free.
    ["disk used", of(disk.usedBytes, disk.limitBytes, disk.usedBytes + disk.freeBytes)],
    ...waitsOf(pressure),
  ];
}

/** For what its processes waited in the last minute; nothing where that is not worth a line. */
function waitsOf(pressure: Usage["pressure"]): [string, string][] {
  const waits = ([["memory"], ["io", "disk"], ["cpu"]] as const).flatMap(([key, name = key]) => {
    const percent = Math.round(pressure?.[key].somePercent ?? 0);
    return percent > 0 ? [`${name} ${percent} %`] : [];
  });
  return waits.length ? [["waited for", `${waits.join(", ")} of the last minute`]] : [];
}

/** As many as a person reads; `--json` has all. */
const incidentsShown = 5;

/** What happened to it, newest last. */
export function incidentDetails(incidents: Incident[], now: Date): [string, string][] {
  return incidents.slice(-incidentsShown).map(({ at, text, count }) => {
    const ago = formatDuration(Math.max(1000, now.getTime() - Date.parse(at)));
    return ["happened", `${ago} ago  ${text}${count > 1 ? ` (${count} times)` : ""}`];
  });
}

function percent(used: number, limit: number): string {
  return limit > 0 ? `${Math.round((used / limit) * 100)} %` : "-";
}

/** What to type after `create`. */
export function nextSteps(sandbox: Sandbox): string[] {
  const reference = referenceOf(sandbox);
  const context = contextName(sandbox);
  return [
    "Next, a Docker context of its own:",
    `  berth bundle ${reference} -o ./${context}`,
    `  docker context import ${context} ./${context}/berth.dockercontext`,
    `  docker --context ${context} run --rm hello-world`,
    "or just this shell:",
    `  eval "$(berth env ${reference})"`,
    "and when it is no longer needed:",
    `  berth remove ${reference}`,
  ];
}
