import type { ReapAction } from "../lib/contract/sandbox.js";
import { messageOf } from "../lib/errors.js";
import { routeOf } from "./bring-up.js";
import type { Context } from "./context.js";
import { planRepairs, type Repair, type World } from "./repairs.js";
import { revive } from "./revive.js";
import { takeDown } from "./take-down.js";

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
  const actions: ReapAction[] = [];
  for (const repair of repairs) {
    options.signal.throwIfAborted();
    const action = describe(context, repair);
    if (!options.dryRun) await carryOut(context, repair, action, options.signal);
    actions.push(action);
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
  for (const line of await context.parts.door.sync(wanted, { dryRun: options.dryRun })) {
    actions.push({ act: "repair forwarding", thing: line, why: "it differed from the records" });
  }
  return actions;
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
    engine,
    attachedDisks,
    idleSliceUsers,
  };
}

async function carryOut(
  context: Context,
  repair: Repair,
  action: ReapAction,
  signal: AbortSignal,
): Promise<void> {
  try {
    await act(context, repair, signal);
    context.log.info({ ...action }, "repaired");
  } catch (error) {
    signal.throwIfAborted();
    action.error = messageOf(error);
    context.log.error({ ...action, err: error }, "a repair failed; the next run tries again");
  }
}

async function act(context: Context, repair: Repair, signal: AbortSignal): Promise<void> {
  const { parts, records, events, sandboxLocks, userLocks } = context;
  if (repair.kind === "release-slice") {
    await userLocks.run(repair.user, async () => {
      if (records.all().some((record) => record.user === repair.user)) return;
      await parts.slices.release(repair.user);
    });
    return;
  }
  await sandboxLocks.run(repair.id, async () => {
    if (repair.kind === "revive-sandbox") {
      await revive(context, repair.id, signal);
      return;
    }
    await takeDown(context, repair.id);
    events.end(repair.id, { state: "removed", reason: repair.why });
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
