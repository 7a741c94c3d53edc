import type { ReapAction } from "../lib/contract/sandbox.js";
import { messageOf } from "../lib/errors.js";
import { forEachAtOnce } from "../lib/for-each-at-once.js";
import { routeOf } from "./bring-up.js";
import type { Context } from "./context.js";
import { planRepairs, whyRemove, type Repair, type World } from "./repairs.js";
import { reviveIfDown } from "./revive.js";
import { takeDown } from "./take-down.js";

/** Starts and removals side by side; each is mostly waiting for the engine. */
const repairsAtOnce = 4;

/**
 * Removes what has expired and makes directories, containers, networks, disks, slices and forwarded
 * ports agree. What cannot be put right is told and tried again the next time.
 * @param options.dryRun only say what would be done, and why
 */
export async function reconcile(
  context: Context,
  options: { dryRun: boolean; signal: AbortSignal },
): Promise<ReapAction[]> {
  const repairs = planRepairs(await look(context));
  // Removals first: they are quick, and starting again may wait for an engine that does not answer.
  const isStart = (repair: Repair) => repair.kind === "revive-sandbox";
  const actions = [
    ...(await inOrder(repairs.filter((repair) => !isStart(repair)))),
    ...(await inOrder(repairs.filter(isStart))),
  ];

  function inOrder(some: Repair[]): Promise<ReapAction[]> {
    return forEachAtOnce(some, repairsAtOnce, async (repair) => {
      options.signal.throwIfAborted();
      const action = describe(context, repair);
      if (options.dryRun) return [action];
      return (await carryOut(context, repair, action, options.signal)) ? [action] : [];
    });
  }

  const wanted = {
    routes: () => {
      const settled = context.records
        .all()
        .filter(({ state }) => state !== "creating" && state !== "removing");
      return settled.map(routeOf);
    },
    // Of a sandbox whose record cannot be read nothing is touched, its ports included.
    isBusy: (id: string) => context.sandboxLocks.held(id) || context.records.unreadable.has(id),
  };
  actions.push(...(await collectPreloads(context, options.dryRun)));
  if (!options.dryRun) await context.parts.isolation.raiseWall();
  for (const line of await context.parts.door.sync(wanted, { dryRun: options.dryRun })) {
    actions.push({ act: "repair forwarding", thing: line, why: "it differed from the records" });
  }
  return actions;
}

/** What cannot be read or removed is told, and keeps nothing else from being repaired. */
async function collectPreloads(context: Context, dryRun: boolean): Promise<ReapAction[]> {
  const { parts, records, log } = context;
  const act = "remove";
  // Of a sandbox whose record cannot be read, nobody knows what it uses.
  if (records.unreadable.size > 0) return [];
  try {
    const isUsed = (preload: string) => records.all().some((one) => one.preload === preload);
    const removed = await parts.preloads.collect(isUsed, { dryRun });
    return removed.map((one) => ({ act, ...one }));
  } catch (error) {
    log.error({ err: error }, "unused preloads could not be removed; the next run tries again");
    return [
      { act, thing: "unused preloads", why: "no sandbox uses them", error: messageOf(error) },
    ];
  }
}

async function look(context: Context): Promise<World> {
  const { parts, records, sandboxLocks, now } = context;
  const [engine, attachedDisks, idleSliceUsers, halfMade] = await Promise.all([
    parts.engine.inventory(),
    parts.disks.attached(),
    parts.slices.idleUsers(),
    records.halfMade(),
  ]);
  // The records are read after the rest: what was made meanwhile has its record by now.
  return {
    now: now(),
    records: records.all(),
    halfMade,
    unreadable: records.unreadable,
    busy: (id) => sandboxLocks.held(id),
    mayStart: (id) => context.backoff.waitMs(id) === 0,
    engine,
    attachedDisks,
    idleSliceUsers,
  };
}

/** False when there was nothing to repair any more. */
async function carryOut(
  context: Context,
  repair: Repair,
  action: ReapAction,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    if (!(await act(context, repair, signal))) return false;
    context.log.info({ ...action }, "repaired");
  } catch (error) {
    signal.throwIfAborted();
    action.error = messageOf(error);
    context.log.error({ ...action, err: error }, "a repair failed; the next run tries again");
  }
  return true;
}

/**
 * Carries one repair out. The plan may be old by now (a sandbox was extended, removed or came up
 * meanwhile), so with the lock held it is decided once more.
 */
async function act(context: Context, repair: Repair, signal: AbortSignal): Promise<boolean> {
  if (repair.kind === "release-slice") return releaseSlice(context, repair.user);
  const { id, kind, why } = repair;
  return context.sandboxLocks.run(id, async () => {
    if (kind === "revive-sandbox") return reviveIfDown(context, id, signal);
    const record = context.records.get(id);
    const mustGo = record ? whyRemove(record, context.now()) : kind === "remove-leftover";
    if (!mustGo) return false;
    await takeDown(context, id);
    context.events.end(id, { state: "removed", reason: why });
    return true;
  });
}

async function releaseSlice({ parts, records, userLocks }: Context, user: string) {
  return userLocks.run(user, async () => {
    if (records.all().some((record) => record.user === user)) return false;
    await parts.slices.release(user);
    return true;
  });
}

const acts = {
  "remove-sandbox": "remove sandbox",
  "revive-sandbox": "start sandbox",
  "remove-leftover": "remove leftovers of sandbox",
  "release-slice": "stop slice",
} as const;

function describe({ parts, records }: Context, repair: Repair): ReapAction {
  const act = acts[repair.kind];
  if (repair.kind === "release-slice") {
    return { act, thing: parts.slices.nameOf(repair.user), why: repair.why };
  }
  const record = records.get(repair.id);
  const thing = record ? `${repair.id} (${record.user}/${record.name})` : repair.id;
  return { act, thing, why: repair.why };
}
