import { randomInt } from "node:crypto";
import type { CreateRequest } from "../lib/contract/sandbox.js";
import { BerthError } from "../lib/errors.js";
import { allocatePorts } from "../lib/ports.js";
import { allocateAddress, allocateSubnet, separateSubnets, sharedSubnet } from "../lib/subnets.js";
import { allocateUids } from "../lib/uids.js";
import type { Context } from "./context.js";
import { sandboxVersion } from "./record-history.js";
import type { SandboxRecord } from "./records.js";
import { decideSpec } from "./request.js";
import type { Profile } from "./settings.js";

/** A request with its owner known. */
export type OwnedRequest = CreateRequest & { user: string };

/**
 * Decides everything about a new sandbox: its name, ports and network among the rest.
 * The caller holds the lock of all reservations until the record is saved, so that no two get the same.
 * @throws BerthError SANDBOX_EXISTS, SANDBOX_LIMIT_REACHED, PORTS_EXHAUSTED, ADDRESSES_EXHAUSTED,
 *   UIDS_EXHAUSTED  *   and what decideSpec throws
 */
export async function reserve(context: Context, request: OwnedRequest): Promise<SandboxRecord> {
  const { records, settings, settingsOf, now } = context;
  const spec = decideSpec(request, settingsOf(request.user));
  const name = request.name ?? "default";
  mustBeFree(context, request.user, name);

  const from = await startingPoint(context, spec.profile);
  const all = records.all();
  const [ports, network] = await Promise.all([
    freePorts(context, all),
    spec.profile.isolation === "userns" ? freePlace(context, all) : freeNetwork(context, all),
  ]);
  const createdAt = now();
  return {
    version: sandboxVersion,
    id: newId((id) => records.get(id) !== undefined),
    user: request.user,
    name,
    profile: spec.profile.name,
    isolation: spec.profile.isolation,
    state: "creating",
    createdAt: createdAt.toISOString(),
    expiresAt: new Date(createdAt.getTime() + spec.ttlMs).toISOString(),
    ...from,
    limits: spec.limits,
    ports,
    publicHost: settings.publicHosts[0] ?? "localhost",
    ...network,
    egress: spec.profile.egress,
    devices: spec.profile.devices,
  };
}

/** The image it is made of, and the preload that this carries. */
async function startingPoint(
  { parts }: Context,
  profile: Profile,
): Promise<{ image: string; preload?: string }> {
  if (profile.images.length > 0) return parts.preloads.require(profile);
  return { image: await parts.images.require() };
}

function mustBeFree({ records, settingsOf }: Context, user: string, name: string): void {
  const theirs = records.all().filter((record) => record.user === user);
  const same = theirs.find((record) => record.name === name);
  if (same) {
    throw new BerthError(
      "SANDBOX_EXISTS",
      `${user} has a sandbox named ${name} already (${same.id}, ${same.state}); use it, remove it, or give another name`,
    );
  }
  const { sandboxesPerUser } = settingsOf(user);
  if (theirs.length >= sandboxesPerUser) {
    const names = theirs.map((record) => record.name).join(", ");
    throw new BerthError(
      "SANDBOX_LIMIT_REACHED",
      `${user} has ${theirs.length} of ${sandboxesPerUser} sandboxes (${names}); remove one first`,
    );
  }
}

/** Ports that neither a sandbox of ours nor anything else on the host has. */
async function freePorts({ parts, settings }: Context, all: SandboxRecord[]) {
  const strangers = new Set<number>();
  for (;;) {
    const ports = allocatePorts({
      engineRange: settings.ports.engine,
      userRange: settings.ports.user,
      blockSize: settings.ports.perSandbox,
      used: all.map((record) => record.ports),
      isTaken: (port) => strangers.has(port),
    });
    const block = Array.from({ length: ports.to - ports.from + 1 }, (_, i) => ports.from + i);
    const taken = await parts.door.takenPorts([ports.engine, ...block]);
    if (taken.length === 0) return ports;
    for (const port of taken) strangers.add(port);
  }
}

/**
 * An address on the bridge of all, and uids. The engine is asked too: it knows the sandboxes whose records
 * cannot be read, and another Berth's.
 */
async function freePlace(
  { parts, settings }: Context,
  all: SandboxRecord[],
): Promise<Pick<SandboxRecord, "network" | "uidBase">> {
  const [held, avoid] = await Promise.all([parts.engine.holdings(), parts.hostNetworks()]);
  const subnet = sharedSubnet(settings.networkPool);
  const addresses = [...all.map(({ network }) => network), ...held].flatMap((h) => h.address ?? []);
  const uids = [...all, ...held].flatMap(({ uidBase }) => uidBase ?? []);
  return {
    network: { subnet, address: allocateAddress({ subnet, used: addresses, avoid }) },
    uidBase: allocateUids({ range: settings.subordinateUids, used: uids }),
  };
}

/** A network of its own. */
async function freeNetwork(
  { parts, settings }: Context,
  all: SandboxRecord[],
): Promise<Pick<SandboxRecord, "network">> {
  const used = all.map(({ network }) => network.subnet);
  const avoid = await parts.hostNetworks();
  return {
    network: allocateSubnet({ pool: separateSubnets(settings.networkPool), used, avoid }),
  };
}

const letters = "abcdefghijklmnopqrstuvwxyz";
const lettersAndDigits = letters + "0123456789";

function newId(isKnown: (id: string) => boolean): string {
  for (;;) {
    const rest = Array.from({ length: 7 }, () => lettersAndDigits[randomInt(36)]);
    const id = [letters[randomInt(26)], ...rest].join("");
    if (!isKnown(id)) return id;
  }
}
