import { formatDuration } from "../lib/units.js";
import type { EngineInventory } from "../lib/model.js";
import type { SandboxRecord } from "./records.js";

/** Everything that carries Berth's marks on this host, at one moment. */
export interface World {
  now: Date;
  records: SandboxRecord[];
  /** Ids of directories that exist without a record: a creation died in its first moment. */
  halfMade: string[];
  /** Ids whose record cannot be read: nothing of theirs is touched. */
  unreadable: ReadonlySet<string>;
  /** Ids that somebody is making, starting or removing right now. */
  busy: (id: string) => boolean;
  /** Whether a stopped or failed one may be started again yet. */
  mayStart: (id: string) => boolean;
  engine: EngineInventory;
  attachedDisks: string[];
  idleSliceUsers: string[];
}

/** One thing to put right. */
export type Repair =
  | { kind: "remove-sandbox" | "revive-sandbox" | "remove-leftover"; id: string; why: string }
  | { kind: "release-slice"; user: string; why: string };

/** What makes directories, containers, networks, disks and slices agree again; pure. */
export function planRepairs(world: World): Repair[] {
  const known = new Map(world.records.map((record) => [record.id, record]));
  const repairs: Repair[] = [];
  for (const record of world.records) {
    if (world.busy(record.id)) continue;
    const why = whyRemove(record, world.now);
    if (why) repairs.push({ kind: "remove-sandbox", id: record.id, why });
    else if (world.mayStart(record.id)) {
      const fault = faultOf(record, world.engine);
      if (fault) repairs.push({ kind: "revive-sandbox", id: record.id, why: fault });
    }
  }

  const leftovers = new Map<string, string[]>();
  const note = (id: string, thing: string) => {
    if (known.has(id) || world.unreadable.has(id) || world.busy(id)) return;
    leftovers.set(id, [...(leftovers.get(id) ?? []), thing]);
  };
  for (const id of world.engine.containers.keys()) note(id, "container");
  for (const id of world.engine.networks) note(id, "network");
  for (const id of world.attachedDisks) note(id, "disk");
  for (const id of world.halfMade) note(id, "directory");
  for (const [id, things] of leftovers) {
    repairs.push({ kind: "remove-leftover", id, why: `${things.join(", ")} without a record` });
  }

  const owners = new Set(world.records.map((record) => record.user));
  for (const user of world.idleSliceUsers) {
    if (owners.has(user)) continue;
    repairs.push({ kind: "release-slice", user, why: "the user has no sandbox" });
  }
  return repairs;
}

/** Why a sandbox must be started again; undefined when it runs. */
export function faultOf(
  { id, state, isolation }: SandboxRecord,
  engine: EngineInventory,
): string | undefined {
  const container = engine.containers.get(id);
  if (!container) return "its container is gone";
  const hasNetwork = isolation === "userns" ? engine.bridge : engine.networks.has(id);
  if (!hasNetwork) return "its network is gone";
  if (!container.connected) return "its container is on no network";
  if (!container.running) return "its container is stopped";
  return state === "ready" ? undefined : `it is ${state}`;
}

/** Why a sandbox must go; undefined when it may stay. */
export function whyRemove(record: SandboxRecord, now: Date): string | undefined {
  if (record.state === "removing") return "its removal was broken off";
  if (record.state === "creating") return "its creation was broken off";
  const overdueMs = now.getTime() - Date.parse(record.expiresAt);
  return overdueMs >= 0 ? `expired ${formatDuration(overdueMs)} ago` : undefined;
}
