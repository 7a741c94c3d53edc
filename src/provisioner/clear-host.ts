import type { ReapAction } from "../lib/contract/sandbox.js";
import { BerthError, outcomeOf } from "../lib/errors.js";
import { forEachAtOnce } from "../lib/for-each-at-once.js";
import type { Context } from "./context.js";
import { takeDown } from "./take-down.js";

/** Removals side by side; each is mostly waiting for the engine. */
const removalsAtOnce = 4;

export interface ClearOptions {
  /** Sandboxes, images and preloads too; else their being there is a reason to refuse. */
  purge: boolean;
  /** Only say what would be done. */
  dryRun: boolean;
}

/**
 * Takes off this host what a running Berth has on it, whoever's it is: what is left of sandboxes, slices,
 * firewall rules, network, mounts. Safe to repeat, so that what was broken off is finished. Nothing else
 * may work on the host meanwhile.
 * @throws BerthError SANDBOX_EXISTS while there are sandboxes, without `purge`
 */
export async function clearHost(context: Context, options: ClearOptions): Promise<ReapAction[]> {
  const { purge, dryRun } = options;
  if (!purge) mustBeEmpty(context);
  const removals = await removeSandboxes(context, dryRun);
  // The walls stay up for as long as anything is behind them.
  if (removals.some(({ error }) => error !== undefined)) return removals;
  const actions = [...removals, ...(await releaseSlices(context, dryRun))];
  for (const step of sharedThings(context, purge)) {
    const { act, ...action } = step;
    actions.push({ act: "remove", ...action, ...(dryRun ? {} : await outcomeOf(act)) });
  }
  if (purge) {
    const images = await context.parts.images.removeAll({ dryRun });
    actions.push(...images.map((image) => ({ act: "remove", why: "it is Berth's", ...image })));
  }
  return actions;
}

function mustBeEmpty({ records }: Context): void {
  const names = records.all().map(({ id, user, name }) => `${user}/${name} (${id})`);
  const unreadable = [...records.unreadable].map((id) => `${id} (its record cannot be read)`);
  const all = [...names, ...unreadable];
  if (all.length === 0) return;
  throw new BerthError(
    "SANDBOX_EXISTS",
    `there are sandboxes, which nobody would remove any more: ${all.join(", ")}. ` +
      "Remove them with berth remove, or all of them, and what Berth keeps, with --purge",
  );
}

/** All of which anything is left, with a record or without one. */
async function removeSandboxes(context: Context, dryRun: boolean): Promise<ReapAction[]> {
  const { parts, records } = context;
  const [{ containers, networks }, attached, halfMade] = await Promise.all([
    parts.engine.inventory(),
    parts.disks.attached(),
    records.halfMade(),
  ]);
  const known = [...records.all().map(({ id }) => id), ...records.unreadable];
  const ids = new Set([...known, ...containers.keys(), ...networks, ...attached, ...halfMade]);
  return forEachAtOnce([...ids], removalsAtOnce, async (id) => {
    const record = records.get(id);
    const action = {
      act: "remove sandbox",
      thing: record ? `${id} (${record.user}/${record.name})` : id,
      why: known.includes(id) ? "all of them go" : "it has no record",
    };
    const outcome = dryRun ? {} : await outcomeOf(() => takeDown(context, id));
    return [{ ...action, ...outcome }];
  });
}

async function releaseSlices({ parts }: Context, dryRun: boolean): Promise<ReapAction[]> {
  return forEachAtOnce(await parts.slices.idleUsers(), removalsAtOnce, async (user) => {
    const outcome = dryRun ? {} : await outcomeOf(() => parts.slices.release(user));
    const why = "the user has no sandbox";
    return [{ act: "stop slice", thing: parts.slices.nameOf(user), why, ...outcome }];
  });
}

/** What sandboxes have in common; the firewall last, which holds whatever the rest has left. */
function sharedThings({ parts }: Context, purge: boolean) {
  const why = "no sandbox needs it";
  return [
    {
      thing: purge ? "preloads" : "mounts of preloads",
      why,
      act: () => parts.preloads.withdraw({ keepFiles: !purge }),
    },
    { thing: "directory of disks", why, act: () => parts.disks.withdraw() },
    { thing: "network of sandboxes", why, act: () => parts.engine.removeBridge() },
    { thing: "forwarding of ports", why, act: () => parts.door.uninstall() },
    { thing: "wall before the host", why, act: () => parts.isolation.takeWallDown() },
  ];
}
